// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a context tells those who watch it. */
@Timeout(60)
class ObservingTest {
    private static final class Notes implements Observer {
        final List<Step> steps = new CopyOnWriteArrayList<>();
        final List<End> ends = new CopyOnWriteArrayList<>();
        final List<Thread> threads = new CopyOnWriteArrayList<>();

        @Override
        public void stepped(Step step) {
            steps.add(step);
            threads.add(Thread.currentThread());
        }

        @Override
        public void ended(End end) {
            ends.add(end);
        }
    }

    /** One runs until the other has ended, so that their steps must meet, however slow the machine. */
    @Test
    void aStepServesSeveral() {
        Notes notes = new Notes();
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(2).contextLength(64));
                Observer.Registration _ = context.observe(notes);
                TextStream endless =
                        context.prompt(new int[] {1, 2, 3}).ignoreEnd().contextShift(4).maxTokens(1_000_000).stream()) {
            Thread reader = Thread.startVirtualThread(() -> endless.forEach(piece -> {}));
            Eventually.holds(
                    "a step", () -> notes.steps.stream().anyMatch(s -> s.generatedTokens() > 0 && s.sequences() == 1));
            context.prompt(new int[] {4, 5, 6}).ignoreEnd().maxTokens(30).text();
            Eventually.holds("a step of two", () -> notes.steps.stream().anyMatch(s -> s.sequences() == 2));
            endless.cancel();
            Eventually.holds("its end", () -> !reader.isAlive());
        }
    }

    @Test
    void stepsAndEndsAreTold() {
        Notes notes = new Notes();
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(4).contextLength(256));
                Observer.Registration watch = context.observe(notes)) {
            List<TextStream> streams = List.of(1, 2, 3).stream()
                    .map(i ->
                            context
                                    .prompt(new int[] {i, i + 1, i + 2, i + 3, i + 4})
                                    .ignoreEnd()
                                    .maxTokens(30)
                                    .stream())
                    .toList();
            streams.forEach(TextStream::reply);
            Eventually.holds("three ends", () -> notes.ends.size() == 3);
            assertThat(notes.steps.stream()
                            .mapToInt(Observer.Step::generatedTokens)
                            .sum())
                    .isEqualTo(90);
            assertThat(notes.steps.stream()
                            .mapToInt(Observer.Step::promptTokens)
                            .sum())
                    .isEqualTo(15);
            assertThat(notes.steps).allSatisfy(s -> assertThat(s.duration()).isPositive());
            assertThat(notes.ends).allSatisfy(end -> {
                assertThat(end.stopReason()).contains(StopReason.LENGTH);
                assertThat(end.usage()).isEqualTo(new Usage(5, 0, 30));
                assertThat(end.timeToFirstToken().orElseThrow())
                        .isEqualTo(end.timings().queued().plus(end.timings().prompt()));
            });
            assertThat(notes.threads).allSatisfy(t -> assertThat(t.isVirtual()).isTrue());
            assertThat(watch.missed()).isZero();

            Statistics now = context.statistics();
            assertThat(now.generatedTokens()).isEqualTo(90);
            assertThat(now.promptTokens()).isEqualTo(15);
            assertThat(now.steps()).isEqualTo(notes.steps.size());
            assertThat(now.running() + now.waiting() + now.idle()).isZero();
        }
    }

    @Test
    void oneThatLeavesItsThreadInterruptedIsStillTold() {
        Queue<Observer.End> ends = new ConcurrentLinkedQueue<>();
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(1));
                Observer.Registration watch = context.observe(new Observer() {
                    @Override
                    public void ended(End end) {
                        ends.add(end);
                        Thread.currentThread().interrupt();
                    }
                })) {
            for (int i = 1; i <= 3; i++) {
                int told = i;
                context.prompt("x").maxTokens(1).text();
                Eventually.holds("the end is told", () -> ends.size() == told);
            }
            assertThat(watch.missed()).isZero();
        }
    }

    @Test
    void whatTheCacheHadIsCounted() {
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(1));
                Chat chat = context.newChat()) {
            String question = Models.CONVERSATIONS.keySet().iterator().next();
            chat.user(question).text();
            Reply second = chat.user("And then?").maxTokens(4).reply();
            Statistics now = context.statistics();
            assertThat(now.cachedTokens())
                    .isEqualTo(second.usage().cachedTokens())
                    .isPositive();
            assertThat(now.idle()).isEqualTo(1);
            assertThat(now.pagesUsed()).isPositive();
        }
    }

    @Test
    void anObserverThatThrowsOrStallsHarmsNobody() throws InterruptedException {
        CountDownLatch held = new CountDownLatch(1);
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(1).contextLength(256))) {
            Observer.Registration stalled = context.observe(new Observer() {
                @Override
                public void stepped(Step step) {
                    try {
                        held.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
            });
            context.observe(new Observer() {
                @Override
                public void stepped(Step step) {
                    throw new IllegalStateException("on purpose");
                }
            });
            Notes notes = new Notes();
            context.observe(notes);
            assertThat(context.prompt("Hello").ignoreEnd().maxTokens(50).reply().tokens())
                    .hasSize(50);
            Eventually.holds("told", () -> notes.ends.size() == 1);
            held.countDown();
            stalled.close();
            stalled.close();
            notes.ends.clear();
            context.prompt("Hello").ignoreEnd().maxTokens(3).text();
            Eventually.holds("told", () -> notes.ends.size() == 1);
        }
    }

    @Test
    void oneThatStaysFarBehindMissesCallsAndHoldsUpNobody() {
        CountDownLatch held = new CountDownLatch(1);
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(1).contextLength(512));
                Observer.Registration watch = context.observe(new Observer() {
                    @Override
                    public void stepped(Step step) {
                        try {
                            held.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                    }
                })) {
            for (int i = 0; i < 20; i++) { // 9,000 steps: more than are kept
                assertThat(context.prompt("Hello")
                                .ignoreEnd()
                                .maxTokens(450)
                                .reply()
                                .tokens())
                        .hasSize(450);
            }
            Eventually.holds("all is told", () -> watch.missed() > 9000 - 8192 - 100);
            assertThat(watch.missed()).isLessThan(9000);
        } finally {
            held.countDown();
        }
    }

    @Test
    void aClosedContextStillTellsWhatItDid() {
        Notes notes = new Notes();
        Context context = Models.tiny().newContext(o -> o.maxSequences(1));
        context.observe(notes);
        context.prompt("Hello").ignoreEnd().maxTokens(7).text();
        context.close();
        assertThat(context.statistics().generatedTokens()).isEqualTo(7);
        assertThat(context.statistics().toString()).contains("7 generated");
        Eventually.holds("what was to be told is told", () -> notes.ends.size() == 1);
        context.observe(notes).close(); // too late, and harmless
    }

    @Test
    void aFailureAndACancellationAreTold() {
        Notes notes = new Notes();
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(1).contextLength(512));
                Observer.Registration watch = context.observe(notes)) {
            TextStream stream = context.prompt("Hello").ignoreEnd().stream();
            stream.iterator().next();
            stream.cancel();
            stream.reply();
            Reply late = context.prompt("Hello")
                    .ignoreEnd()
                    .timeout(Duration.ofNanos(1))
                    .reply();
            assertThat(late.stopReason()).isEqualTo(StopReason.TIMEOUT);
            Eventually.holds("two ends", () -> notes.ends.size() == 2);
            assertThat(notes.ends.get(0).stopReason()).isEqualTo(Optional.of(StopReason.CANCELLED));
            assertThat(notes.ends.get(1).stopReason()).isEqualTo(Optional.of(StopReason.TIMEOUT));
            assertThat(watch.missed()).isZero();
        }
    }
}
