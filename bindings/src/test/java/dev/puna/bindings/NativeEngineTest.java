// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The whole way through the core, on the tiny model of the tests. */
class NativeEngineTest {
    private static final Path TINY =
            Path.of(System.getProperty("puna.root"), "native", "tests", "data", "tiny", "tiny-chat.gguf");
    private static final NativeGeneration GREEDY = NativeGeneration.of(c -> {
        c.maxTokens = 8;
        c.seed = 1;
        c.logprobs = true;
        c.topLogprobs = 3;
        c.ignoreEos = true;
    });

    private NativeModel model;
    private NativeEngine engine;

    @BeforeEach
    void open() {
        model = NativeModel.load(TINY, 1, null);
        engine = NativeEngine.create(model, options(2));
    }

    @AfterEach
    void close() {
        engine.close();
        model.close();
    }

    private static NativeEngineOptions options(int threads) {
        return NativeEngineOptions.of(c -> {
            c.maxSequences = 4;
            c.maxQueue = 8;
            c.threads = threads;
            c.cacheType = NativeEngineOptions.CacheType.F32;
        });
    }

    /** So many tokens, whatever the model says of an end. */
    private static NativeGeneration tokens(int count) {
        return NativeGeneration.of(c -> {
            c.maxTokens = count;
            c.seed = 42;
            c.ignoreEos = true;
        });
    }

    private static NativeGeneration sampled(List<NativeStage> stages) {
        return NativeGeneration.of(c -> {
            c.maxTokens = 8;
            c.seed = 42;
            c.stages = stages;
            c.ignoreEos = true;
        });
    }

    private static NativeGeneration stopping(String... stops) {
        return NativeGeneration.of(c -> {
            c.maxTokens = 8;
            c.stops = List.of(stops);
            c.ignoreEos = true;
        });
    }

    private int[] ids(String text) {
        return model.tokenizer().tokenize(text.getBytes(StandardCharsets.UTF_8), false, false);
    }

    private List<NativeEvent> drain() {
        List<NativeEvent> events = new ArrayList<>();
        NativeEngine.Step step;
        do {
            step = engine.step();
            for (NativeEvent event = engine.nextEvent(); event != null; event = engine.nextEvent()) {
                events.add(event);
            }
        } while (step.active() > 0);
        return events;
    }

    @Test
    void describesTheModel() {
        NativeModel.Info info = model.info();
        assertThat(info.architecture()).isEqualTo("llama");
        assertThat(info.layers()).isPositive();
        assertThat(info.vocabulary()).isEqualTo(model.tokenizer().info().vocabulary());
        assertThat(info.fileBytes()).isEqualTo(model.file().size());
        assertThat(info.memoryBytes()).isPositive();
        assertThat(NativeMemoryPlan.of(model.file(), options(1)).total()).isPositive();
    }

    @Test
    void textGoesThereAndBack() {
        NativeTokenizer tokenizer = model.tokenizer();
        String text = "Hello, w\u00f6rld \u4e2d\u6587 \ud83d\ude00\n";
        assertThat(tokenizer.detokenize(ids(text), false))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo(text);
        assertThat(ids("")).isEmpty();
        String control = controlToken(tokenizer);
        byte[] spelled = control.getBytes(StandardCharsets.UTF_8);
        assertThat(tokenizer.tokenize(spelled, true, false)).hasSize(1);
        assertThat(tokenizer.tokenize(spelled, false, false).length).isGreaterThan(1);
        assertThat(tokenizer.tokenizeParts(List.of(spelled, spelled), new boolean[] {true, false}))
                .hasSizeGreaterThan(2)
                .startsWith(tokenizer.tokenize(spelled, true, false));
        assertThatThrownBy(() -> tokenizer.token(-1)).isInstanceOf(NativeException.class);
    }

    private static String controlToken(NativeTokenizer tokenizer) {
        for (int id = 0; id < tokenizer.info().vocabulary(); id++) {
            NativeTokenizer.Token token = tokenizer.token(id);
            if (token.kind() == NativeTokenizer.Kind.CONTROL) {
                return token.text();
            }
        }
        throw new AssertionError("the tiny model has no control token");
    }

    @Test
    void generatesWhatTheLogitsSay() {
        int[] prompt = ids("Once upon a time");
        long sequence = engine.openSequence();
        engine.generate(sequence, prompt, GREEDY);
        List<NativeEvent> events = drain();
        List<NativeEvent.Token> tokens = events.stream()
                .filter(NativeEvent.Token.class::isInstance)
                .map(NativeEvent.Token.class::cast)
                .toList();
        assertThat(tokens).hasSize(8);
        assertThat(events).last().isInstanceOfSatisfying(NativeEvent.Finished.class, finished -> {
            assertThat(finished.stop()).isEqualTo(NativeEvent.Stop.LENGTH);
            assertThat(finished.promptTokens()).isEqualTo(prompt.length);
            assertThat(finished.generatedTokens()).isEqualTo(8);
            assertThat(finished.stopIndex()).isEqualTo(-1);
        });
        NativeEvent.Token first = tokens.getFirst();
        assertThat(first.topIds()).hasSize(3).startsWith(first.token());
        assertThat(first.topLogprobs()[0]).isEqualTo(first.logprob()).isNegative();
        assertThat(engine.tokens(sequence)).startsWith(prompt).hasSize(prompt.length + 8);
        engine.closeSequence(sequence);
        assertThatThrownBy(() -> engine.tokens(sequence))
                .isInstanceOfSatisfying(
                        NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.CLOSED));

        int vocabulary = model.info().vocabulary();
        float[] rows = engine.logits(prompt, prompt.length - 1, vocabulary, null);
        assertThat(rows).hasSize(vocabulary);
        int best = 0;
        for (int i = 1; i < rows.length; i++) {
            best = rows[i] > rows[best] ? i : best;
        }
        assertThat(best).isEqualTo(first.token());
    }

    private List<Integer> tokens(List<NativeEvent> events, long sequence) {
        return events.stream()
                .filter(event -> event.sequence() == sequence)
                .filter(NativeEvent.Token.class::isInstance)
                .map(event -> ((NativeEvent.Token) event).token())
                .toList();
    }

    @Test
    void aGenerationIsHeldBackAndGoesOn() {
        int[] prompt = ids("Once upon a time");
        long free = engine.openSequence();
        engine.generate(free, prompt, GREEDY);
        List<Integer> expected = tokens(drain(), free);
        long sequence = engine.openSequence();
        engine.generate(sequence, prompt, GREEDY);
        engine.step();
        engine.pause(sequence);
        assertThat(engine.info().paused()).isEqualTo(1);
        assertThat(engine.step().active()).isZero();
        assertThat(engine.info().pagesUsed()).isPositive();
        engine.trim();
        assertThat(engine.info().pagesUsed() + engine.info().pagesCached()).isZero();
        engine.resume(sequence);
        assertThat(tokens(drain(), sequence)).isEqualTo(expected.subList(1, 8)); // the first one came before
        assertThat(engine.info().paused()).isZero();
    }

    @Test
    void aSequenceForksAndRewinds() {
        int[] prompt = ids("Once upon a time");
        long sequence = engine.openSequence();
        engine.generate(sequence, prompt, GREEDY);
        drain();
        int[] all = engine.tokens(sequence);
        long fork = engine.fork(sequence, NativeEngine.ALL);
        assertThat(engine.tokens(fork)).isEqualTo(all);
        assertThat(engine.tokens(engine.fork(sequence, 3))).isEqualTo(java.util.Arrays.copyOf(all, 3));
        engine.rewind(fork, prompt.length);
        assertThat(engine.tokens(fork)).isEqualTo(prompt);
        assertThat(engine.tokens(sequence)).isEqualTo(all);
        assertThatThrownBy(() -> engine.rewind(fork, 1000)).hasMessageContaining("1000");
        engine.generate(fork, prompt, GREEDY);
        assertThat(tokens(drain(), fork))
                .isEqualTo(
                        java.util.Arrays.stream(all).skip(prompt.length).boxed().toList());
    }

    @Test
    void logitsAreShownAndChosenFrom() {
        int[] prompt = ids("Once upon a time");
        int vocabulary = model.info().vocabulary();
        long sequence = engine.openSequence();
        engine.generate(sequence, prompt, GREEDY.showing());
        assertThat(drain()).singleElement().isInstanceOfSatisfying(NativeEvent.Logits.class, shown -> {
            assertThat(shown.text()).isEmpty();
            engine.pause(sequence); // raw logits want a quiet engine
            assertThat(shown.values()).isEqualTo(engine.logits(prompt, prompt.length - 1, vocabulary, null));
            engine.resume(sequence);
            float[] row = shown.values();
            row[33] = 1000;
            row[7] = Float.NaN;
            assertThatThrownBy(() -> engine.choose(sequence, row))
                    .isInstanceOfSatisfying(
                            NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.NOT_FINITE));
            row[7] = Float.NEGATIVE_INFINITY;
            engine.choose(sequence, row);
        });
        List<NativeEvent> next = drain();
        assertThat(tokens(next, sequence)).containsExactly(33);
        assertThat(next).last().isInstanceOf(NativeEvent.Logits.class);
        engine.closeSequence(sequence);
    }

    @Test
    void aFullContextDropsTokens() {
        NativeEngineOptions options = NativeEngineOptions.of(c -> {
            c.contextLength = 64;
            c.maxSequences = 1;
            c.threads = 1;
            c.cacheType = NativeEngineOptions.CacheType.F32;
        });
        try (NativeEngine small = NativeEngine.create(model, options)) {
            long sequence = small.openSequence();
            NativeGeneration asked = tokens(100);
            small.generate(sequence, ids("Once"), asked.shifting(2));
            while (small.step().active() > 0) {}
            assertThat(small.nextEvent()).isInstanceOf(NativeEvent.Token.class);
            assertThat(small.nextEvent()).isInstanceOfSatisfying(NativeEvent.Finished.class, finished -> {
                assertThat(finished.stop()).isEqualTo(NativeEvent.Stop.LENGTH);
                assertThat(finished.generatedTokens()).isEqualTo(100);
                assertThat(finished.droppedTokens())
                        .isPositive()
                        .isEqualTo(ids("Once").length + 100 - small.tokens(sequence).length);
            });
        }
    }

    @Test
    void sequencesAreForkedSavedAndRestored() throws IOException {
        long sequence = engine.openSequence();
        engine.generate(sequence, ids("Once upon a time"), GREEDY);
        drain();
        int[] tokens = engine.tokens(sequence);
        assertThat(engine.tokens(engine.fork(sequence))).isEqualTo(tokens);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (NativeState small = NativeState.allocate(8);
                NativeState state = NativeState.allocate(engine.stateLength(sequence))) {
            assertThat(engine.save(sequence, small)).isEqualTo(state.length());
            assertThat(engine.save(sequence, state)).isEqualTo(state.length());
            assertThat(engine.tokens(engine.restore(state))).isEqualTo(tokens);
            state.writeTo(Channels.newChannel(bytes));
        }
        byte[] saved = bytes.toByteArray();
        assertThat(saved).startsWith("PUNASEQ".getBytes(StandardCharsets.US_ASCII));
        saved[saved.length / 2]++;
        try (NativeState damaged = NativeState.read(channel(saved), saved.length)) {
            assertThatThrownBy(() -> engine.restore(damaged))
                    .isInstanceOfSatisfying(
                            NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.INVALID_FILE));
        }
        assertThatThrownBy(() -> NativeState.read(channel(saved), saved.length + 1L))
                .isInstanceOf(EOFException.class);
    }

    private static ReadableByteChannel channel(byte[] bytes) {
        return Channels.newChannel(new ByteArrayInputStream(bytes));
    }

    @Test
    void aStopStringEndsIt() {
        long sequence = engine.openSequence();
        engine.generate(sequence, ids("Once"), GREEDY);
        StringBuilder text = new StringBuilder();
        drain().forEach(event -> text.append(event.text()));
        assertThat(text).hasSizeGreaterThan(3);
        String stop = text.substring(2, 3);
        engine.generate(sequence, ids("Once"), stopping("never there", stop));
        StringBuilder shorter = new StringBuilder();
        List<NativeEvent> events = drain();
        events.forEach(event -> shorter.append(event.text()));
        assertThat(events).last().isInstanceOfSatisfying(NativeEvent.Finished.class, finished -> {
            assertThat(finished.stop()).isEqualTo(NativeEvent.Stop.TEXT);
            assertThat(finished.stopIndex()).isEqualTo(1);
        });
        assertThat(text.toString()).startsWith(shorter.toString());
        assertThat(shorter.toString()).doesNotContain(stop);
    }

    @Test
    void everySamplerStageIsTaken() {
        List<NativeStage> stages = List.of(
                NativeStage.penalties(-1, 1.1f, 0.1f, 0.1f),
                NativeStage.of(NativeStage.Kind.TOP_K, 40),
                NativeStage.of(NativeStage.Kind.TOP_P, 0.9f),
                NativeStage.of(NativeStage.Kind.MIN_P, 0.05f),
                NativeStage.of(NativeStage.Kind.TEMPERATURE, 0.8f));
        NativeGeneration sampled = sampled(stages);
        List<int[]> runs = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            long sequence = engine.openSequence();
            engine.generate(sequence, ids("Hello"), sampled);
            drain();
            runs.add(engine.tokens(sequence));
        }
        assertThat(runs.get(0)).isEqualTo(runs.get(1));
        long sequence = engine.openSequence();
        NativeStage wrong = NativeStage.of(NativeStage.Kind.TEMPERATURE, Float.NaN);
        assertThatThrownBy(() -> engine.generate(sequence, ids("Hello"), sampled(List.of(wrong))))
                .isInstanceOfSatisfying(
                        NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.INVALID_ARGUMENT));
    }

    @Test
    void cancellingEndsItAndGivesPagesBack() {
        long sequence = engine.openSequence();
        engine.generate(sequence, ids("Hello"), tokens(0));
        engine.step();
        assertThat(engine.info().pagesUsed()).isPositive();
        engine.cancel(sequence);
        assertThat(drain())
                .last()
                .isInstanceOfSatisfying(
                        NativeEvent.Finished.class,
                        end -> assertThat(end.stop()).isEqualTo(NativeEvent.Stop.CANCELLED));
        engine.closeSequence(sequence);
        assertThat(engine.info().pagesUsed()).isZero();
        assertThat(engine.info().sequences()).isZero();
    }

    @Test
    void closingInAnyOrderIsSafe() {
        NativeTokenizer tokenizer = model.tokenizer();
        model.close();
        assertThat(engine.isClosed()).isTrue();
        assertThatThrownBy(engine::step)
                .isInstanceOf(NativeClosedException.class)
                .hasMessage("the engine is closed");
        assertThatThrownBy(() -> tokenizer.tokenize(new byte[] {65}, false, false))
                .isInstanceOf(NativeClosedException.class)
                .hasMessageContaining("tiny-chat.gguf");
        assertThatThrownBy(() -> NativeEngine.create(model, options(1))).isInstanceOf(NativeClosedException.class);
        assertThatThrownBy(() -> model.file().size()).isInstanceOf(NativeClosedException.class);
        engine.close();
        model.close();
    }

    @Test
    void closeWhileAnotherThreadComputes() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            NativeEngine busy = NativeEngine.create(model, options(2));
            long sequence = busy.openSequence();
            busy.generate(sequence, ids("Hello"), tokens(0));
            CountDownLatch started = new CountDownLatch(1);
            AtomicReference<Throwable> ended = new AtomicReference<>();
            Thread driver = Thread.ofPlatform().start(() -> {
                try {
                    while (busy.step().active() > 0) {
                        started.countDown();
                    }
                    started.countDown();
                } catch (NativeClosedException e) {
                    ended.set(e);
                }
            });
            assertThat(started.await(60, TimeUnit.SECONDS)).isTrue();
            busy.close();
            driver.join(TimeUnit.SECONDS.toMillis(60));
            assertThat(driver.isAlive()).isFalse();
            assertThat(busy.isClosed()).isTrue();
        }
    }

    @Test
    void aForgottenModelIsFreedAndReported() throws InterruptedException {
        AtomicReference<String> reported = new AtomicReference<>();
        CountDownLatch freed = new CountDownLatch(1);
        NativeLeaks.reportTo((what, opened) -> {
            reported.set(what);
            freed.countDown();
        });
        try {
            forget();
            for (int i = 0; i < 100 && freed.getCount() > 0; i++) {
                System.gc();
                freed.await(50, TimeUnit.MILLISECONDS);
            }
            assertThat(reported.get()).startsWith("file ").contains("tiny-chat.gguf");
        } finally {
            NativeLeaks.reportTo((what, opened) -> {});
        }
    }

    private static void forget() {
        assertThat(NativeFile.open(TINY).tensorCount()).isPositive();
    }
}
