// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Context;
import dev.puna.Reply;
import dev.puna.Sampler;
import dev.puna.TextStream;
import dev.puna.Timings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Measures a context: only the engine's own times count, not those of callers. */
final class Bench {
    private final Context context;
    private final int parallel;
    private final int repeat;

    Bench(Context context, int parallel, int repeat) {
        this.context = context;
        this.parallel = parallel;
        this.repeat = repeat;
    }

    /** What one test gave, in tokens a second of all sequences together. */
    record Run(String test, int tokens, int depth, int parallel, int threads, double median, double min, double max) {}

    /** Prompts of a length: from their start to the first token of the last one. */
    Run prompt(int tokens) {
        return measure("prompt", tokens, 0, () -> together(tokens, 1), replies -> {
            double longest = replies.stream()
                    .mapToDouble(reply -> nanos(reply.timings().queued())
                            + nanos(reply.timings().prompt()))
                    .max()
                    .orElseThrow();
            return parallel * (double) tokens * 1e9 / longest;
        });
    }

    /** Tokens one by one behind a depth: the rates of all sequences. */
    Run generate(int tokens, int depth) {
        return measure(
                "generate",
                tokens,
                depth,
                () -> together(Math.max(1, depth), tokens + 1),
                replies -> replies.stream()
                        .map(Reply::timings)
                        .mapToDouble(Timings::tokensPerSecond)
                        .sum());
    }

    private interface Work {
        List<Reply> once();
    }

    private Run measure(String test, int tokens, int depth, Work work, ToDoubleFunction<List<Reply>> rate) {
        work.once(); // warms up: pages, branches, clocks
        double[] rates = new double[repeat];
        for (int i = 0; i < repeat; i++) {
            rates[i] = rate.applyAsDouble(work.once());
        }
        Arrays.sort(rates);
        double median = (rates[repeat / 2] + rates[(repeat - 1) / 2]) / 2;
        int threads = context.status().threads();
        return new Run(test, tokens, depth, parallel, threads, median, rates[0], rates[repeat - 1]);
    }

    /** As many sequences as wanted, started together. */
    private List<Reply> together(int promptTokens, int generated) {
        List<TextStream> streams = new ArrayList<>();
        try {
            for (int i = 0; i < parallel; i++) {
                streams.add(
                        context
                                .prompt(ids(promptTokens, i))
                                .sampler(Sampler.greedy())
                                .maxTokens(generated)
                                .ignoreEnd()
                                .stream());
            }
            return streams.stream().map(TextStream::reply).toList();
        } finally {
            streams.forEach(TextStream::close);
        }
    }

    /** Ids that look random but are the same at every run: a Weyl sequence, another for each of the parallel prompts. */
    private int[] ids(int count, int which) {
        int vocabulary = context.model().info().vocabulary();
        int[] ids = new int[count];
        long state = 0x9E3779B97F4A7C15L * (which + 1);
        for (int i = 0; i < count; i++) {
            state += 0x9E3779B97F4A7C15L;
            long mixed = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
            ids[i] = (int) Long.remainderUnsigned(mixed ^ (mixed >>> 27), vocabulary);
        }
        return ids;
    }

    private static double nanos(Duration time) {
        return time.toNanos();
    }

    /** The processor's name where the system tells it, else its architecture. */
    static String processor() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException | RuntimeException e) {
            return System.getProperty("os.arch");
        }
    }
}
