// SPDX-License-Identifier: Apache-2.0
package dev.puna.benchmarks;

import dev.puna.Context;
import dev.puna.Model;
import dev.puna.Piece;
import dev.puna.Prompt;
import dev.puna.Sampler;
import dev.puna.TextStream;
import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeEngineOptions;
import dev.puna.bindings.NativeEvent;
import dev.puna.bindings.NativeGeneration;
import dev.puna.bindings.NativeModel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A token's time and garbage on its way to a caller, with a model so small that the way is what counts.
 * {@link #bindings} drives the engine itself: what the others take more is the API's. Times and bytes
 * ({@code -prof gc}) are a token's.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class TokenBenchmark {
    /** Tokens of a generation. */
    static final int TOKENS = 256;

    private static final int[] PROMPT = {1, 2, 3};

    /** The model's file; the tests' smallest one where nothing is said. */
    @Param("")
    public String model;

    private Model loaded;
    private Context context;
    private NativeModel bare;
    private NativeEngine engine;

    /** Loads the model twice, since the API gives away no engine. */
    @Setup
    public void open() {
        Path file = model.isEmpty()
                ? Path.of(System.getProperty("puna.root", "."), "native/tests/data/tiny/tiny-chat.gguf")
                : Path.of(model);
        loaded = Model.load(file);
        context = loaded.newContext(options -> options.threads(1));
        bare = NativeModel.load(file, 1, null);
        engine = NativeEngine.create(
                bare,
                NativeEngineOptions.of(c -> {
                    c.maxSequences = 1;
                    c.threads = 1;
                }));
    }

    /** Closes all. */
    @TearDown
    public void close() {
        engine.close();
        bare.close();
        context.close();
        loaded.close();
    }

    private Prompt prompt() {
        return context.prompt(PROMPT).sampler(Sampler.greedy()).maxTokens(TOKENS).ignoreEnd();
    }

    /** The whole answer at once. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public int reply() {
        return prompt().reply().usage().generatedTokens();
    }

    /** Piece by piece. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public int stream() {
        int length = 0;
        try (TextStream pieces = prompt().stream()) {
            for (Piece piece : pieces) {
                length += piece.text().length();
            }
        }
        return length;
    }

    /** Steps and events alone, on the caller's thread. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public int bindings() {
        long sequence = engine.openSequence();
        engine.generate(
                sequence,
                PROMPT,
                NativeGeneration.of(c -> {
                    c.maxTokens = TOKENS;
                    c.ignoreEos = true;
                }));
        int tokens = 0;
        while (engine.step().active() > 0) {
            for (NativeEvent event = engine.nextEvent(); event != null; event = engine.nextEvent()) {
                tokens++;
            }
        }
        engine.closeSequence(sequence);
        return tokens;
    }
}
