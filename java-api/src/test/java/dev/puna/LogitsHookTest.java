// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Callers who see and change logits: what they leave is chosen from, and what they do harms nobody else. */
@Timeout(60)
class LogitsHookTest {
    private Context context;

    @BeforeEach
    void open() {
        context = Models.tiny().newContext(o -> o.maxSequences(2));
    }

    @AfterEach
    void close() {
        context.close();
    }

    private ChatRequest hello() {
        return context.chat(List.of(Message.user("Hello"))).sampler(Sampler.greedy());
    }

    private Prompt free(int tokens) {
        return context.prompt("Once")
                .sampler(Sampler.of(Sampler.temperature(20)).seed(5))
                .ignoreEnd()
                .maxTokens(tokens);
    }

    private void allIsBack() {
        Eventually.holds("all is back", () -> context.status().sequences() == 0);
    }

    @Test
    void whoOnlyLooksChangesNothing() {
        List<Thread> threads = new ArrayList<>();
        List<Integer> lengths = new ArrayList<>();
        int[] prompt = hello().tokens();
        AtomicReference<float[]> first = new AtomicReference<>();
        Reply plain = hello().logprobs(2).reply();
        Reply reply = hello().logprobs(2)
                .logits(l -> {
                    threads.add(Thread.currentThread());
                    lengths.add(l.tokens().length);
                    first.compareAndSet(null, l.toArray());
                    assertThat(l.size()).isEqualTo(Models.tiny().info().vocabulary());
                    assertThat(l.get(3)).isEqualTo(l.toArray()[3]);
                })
                .reply();
        assertThat(reply.text()).isEqualTo(Models.answer("Hello"));
        assertThat(reply.tokens()).isEqualTo(plain.tokens());
        assertThat(reply.logprobs()).hasToString(plain.logprobs().toString());
        assertThat(threads).hasSize(reply.tokens().length).containsOnly(Thread.currentThread());
        for (int i = 0; i < lengths.size(); i++) {
            assertThat(lengths.get(i)).isEqualTo(i);
        }
        assertThat(first.get()).isEqualTo(context.logits(prompt, prompt.length - 1));
        assertThat(free(200).logits(l -> {}).reply().tokens())
                .isEqualTo(free(200).reply().tokens());
    }

    @Test
    void whatIsBannedDoesNotCome() {
        int[] usual = hello().reply().tokens();
        int[] other = hello().logits(l -> l.set(usual[0], Float.NEGATIVE_INFINITY))
                .maxTokens(5)
                .reply()
                .tokens();
        assertThat(other).doesNotContain(usual[0]);
        Sampler banning = Sampler.greedy().logitBias(Map.of(usual[0], Float.NEGATIVE_INFINITY));
        assertThat(other)
                .isEqualTo(hello().sampler(banning).maxTokens(5).reply().tokens());
        int[] forced = hello().maxTokens(4)
                .logits(l -> {
                    float[] row = new float[l.size()];
                    Arrays.fill(row, Float.NEGATIVE_INFINITY);
                    row[20 + l.tokens().length] = 1;
                    l.setAll(row);
                })
                .reply()
                .tokens();
        assertThat(forced).containsExactly(20, 21, 22, 23);
    }

    /** A reader of pieces runs it while it reads; a future has a thread for it. */
    @Test
    void itRunsOnTheThreadThatWaits() throws InterruptedException {
        int[] expected = free(60).reply().tokens();
        AtomicReference<Thread> last = new AtomicReference<>();
        AtomicInteger calls = new AtomicInteger();
        try (TextStream stream = free(60)
                .logits(l -> {
                    last.set(Thread.currentThread());
                    calls.incrementAndGet();
                })
                .stream()) {
            Thread.sleep(50);
            assertThat(calls).hasValue(0); // nobody reads yet
            Iterator<Piece> pieces = stream.iterator();
            pieces.next();
            assertThat(last).hasValue(Thread.currentThread());
            assertThat(calls.get()).isBetween(1, 10);
            assertThat(stream.reply().tokens()).isEqualTo(expected);
            assertThat(calls).hasValue(60);
        }
        Reply reply =
                free(60).logits(l -> last.set(Thread.currentThread())).async().join();
        assertThat(reply.tokens()).isEqualTo(expected);
        assertThat(last.get().isVirtual()).isTrue();
        assertThat(last.get().getName()).doesNotContain("engine");
    }

    @Test
    void whatItThrowsEndsThatRequestAlone() {
        Chat chat = context.newChat();
        IllegalStateException mine = new IllegalStateException("no further");
        assertThatThrownBy(() -> chat.user("Hello")
                        .logits(l -> {
                            if (l.tokens().length == 3) {
                                throw mine;
                            }
                        })
                        .text())
                .isSameAs(mine);
        assertThat(chat.messages()).isEmpty(); // as it was
        assertThat(chat.user("Hello").sampler(Sampler.greedy()).text()).isEqualTo(Models.answer("Hello"));
        chat.close();

        CompletableFuture<Reply> future = hello().logits(l -> {
                    throw mine;
                })
                .async();
        assertThatExceptionOfType(CompletionException.class)
                .isThrownBy(future::join)
                .havingCause()
                .isSameAs(mine);
        try (TextStream stream = hello()
                .logits(l -> {
                    throw mine;
                })
                .stream()) {
            Iterator<Piece> pieces = stream.iterator();
            assertThatThrownBy(pieces::hasNext).isSameAs(mine);
            assertThatThrownBy(stream::reply).isSameAs(mine);
        }
        AssertionError worse = new AssertionError("an error");
        assertThatThrownBy(() -> hello().logits(l -> {
                            throw worse;
                        })
                        .text())
                .isSameAs(worse);
        assertThat(hello().text()).isEqualTo(Models.answer("Hello"));
        allIsBack();
    }

    @Test
    void numbersThatAreNoneAreRefused() {
        for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> hello().logits(l -> l.set(7, wrong)).text())
                    .withMessageContaining("token 7")
                    .withMessageContaining(String.valueOf(wrong));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> hello().logits(l -> {
                                float[] row = l.toArray();
                                row[9] = wrong;
                                l.setAll(row);
                            })
                            .text())
                    .withMessageContaining("token 9");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> hello().logits(l -> l.setAll(new float[3])).text())
                .withMessageContaining("3 logits");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> hello().logits(l -> {
                            float[] row = new float[l.size()];
                            Arrays.fill(row, Float.NEGATIVE_INFINITY);
                            l.setAll(row);
                        })
                        .text())
                .withMessageContaining("nothing to choose from");
        assertThat(hello().text()).isEqualTo(Models.answer("Hello"));
        allIsBack();
    }

    @Test
    void theyAreOfNoUseAfterwards() {
        AtomicReference<Logits> kept = new AtomicReference<>();
        assertThat(hello().logits(kept::set).text()).isEqualTo(Models.answer("Hello"));
        assertThatThrownBy(() -> kept.get().get(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> kept.get().set(1, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> kept.get().toArray()).isInstanceOf(IllegalStateException.class);
    }

    /** In a cache for one sequence and a batch of one: it gives up its place, others end, and no token changes. */
    @Test
    void aSlowHookHoldsNobodyUp() throws InterruptedException {
        long budget = oneOf(448);
        try (Context narrow = Models.tiny()
                .newContext(o -> o.maxSequences(1).contextLength(448).cacheBudget(budget))) {
            CountDownLatch thinks = new CountDownLatch(1);
            CountDownLatch goesOn = new CountDownLatch(1);
            CompletableFuture<Reply> slow = narrow.chat(List.of(Message.user("Hello")))
                    .sampler(Sampler.greedy())
                    .logits(l -> {
                        if (l.tokens().length == 2) {
                            thinks.countDown();
                            await(goesOn);
                        }
                    })
                    .async();
            thinks.await();
            for (int i = 0; i < 3; i++) {
                Reply other = narrow.chat(List.of(Message.user(Models.STORY)))
                        .sampler(Sampler.greedy())
                        .reply();
                assertThat(other.text()).isEqualTo(Models.answer(Models.STORY));
            }
            assertThat(narrow.statistics().paused()).isEqualTo(1);
            assertThat(narrow.statistics().evictions()).isPositive();
            assertThat(slow).isNotDone();
            goesOn.countDown();
            assertThat(slow.join().text()).isEqualTo(Models.answer("Hello"));
        }
    }

    private static long oneOf(int length) {
        try (Context one = Models.tiny().newContext(o -> o.maxSequences(1).contextLength(length))) {
            return one.status().pagesTotal() * one.status().pageBytes();
        }
    }

    @Test
    void itMayEndWhileTheHookThinks() {
        Reply late =
                hello().timeout(Duration.ofMillis(200)).logits(l -> pause(300)).reply();
        assertThat(late.stopReason()).isEqualTo(StopReason.TIMEOUT);
        assertThat(late.tokens()).isEmpty();

        AtomicReference<TextStream> running = new AtomicReference<>();
        try (TextStream stream = hello().logits(l -> running.get().cancel()).stream()) {
            running.set(stream);
            assertThat(stream.reply().stopReason()).isEqualTo(StopReason.CANCELLED);
        }
        allIsBack();

        Context own = Models.tiny().newContext(o -> o.maxSequences(1));
        assertThatExceptionOfType(ClosedException.class)
                .isThrownBy(() -> own.prompt("Once").logits(l -> own.close()).text());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A stream with a hook that nobody reads has no steps, and a hook may ask the model itself. */
    @Test
    void hooksOfAllKindsAtOnce() {
        int[] expected = free(40).reply().tokens();
        try (TextStream unread = free(40).logits(l -> {}).stream()) {
            List<CompletableFuture<Reply>> futures = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                int caller = i;
                futures.add(free(40).logits(l -> {
                            if (caller % 3 == 0 && l.tokens().length == 5) {
                                assertThat(hello().text()).isEqualTo(Models.answer("Hello"));
                            }
                        })
                        .async());
            }
            futures.forEach(future -> assertThat(future.join().tokens()).isEqualTo(expected));
            assertThat(unread.isDone()).isFalse();
            assertThat(unread.reply().tokens()).isEqualTo(expected);
        }
        allIsBack();
    }

    @Test
    void aRecordSaysThatItCannotBeReplayed() {
        ReplayRecord record =
                ReplayRecord.parse(hello().logits(l -> {}).reply().record().json());
        assertThatExceptionOfType(PunaException.class)
                .isThrownBy(() -> record.replay(Models.tiny()))
                .withMessageContaining("logits hook");
    }
}
