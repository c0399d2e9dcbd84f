// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Readers who lag, stop, forget: their generations wait, nobody else does, and no bit changes. */
@Timeout(120)
class SlowReadersTest {
    private static final int LENGTH = 1024;
    private static final int TOKENS = 700;

    private Context context;

    @BeforeEach
    void open() {
        context = four();
    }

    @AfterEach
    void close() {
        context.close();
    }

    /** A context with a cache for four sequences of full length. */
    private static Context four() {
        long budget;
        try (Context one = Models.tiny().newContext(o -> o.contextLength(LENGTH).maxSequences(1))) {
            budget = 4 * one.status().pagesTotal() * one.status().pageBytes();
        }
        return Models.tiny()
                .newContext(o -> o.contextLength(LENGTH).maxSequences(16).cacheBudget(budget));
    }

    /** Free text of many pieces. */
    private static Prompt babble(Context context, long seed) {
        return context.prompt("Story " + seed)
                .sampler(Sampler.of(Sampler.temperature(20)).seed(seed))
                .ignoreEnd()
                .maxTokens(TOKENS);
    }

    private static int[] alone(long seed) {
        try (Context quiet =
                Models.tiny().newContext(o -> o.contextLength(LENGTH).maxSequences(1))) {
            return babble(quiet, seed).reply().tokens();
        }
    }

    private void paused(int count) {
        Eventually.holds(count + " are paused", () -> context.statistics().paused() == count);
    }

    private void allIsBack() {
        Eventually.holds("all is back", () -> context.status().sequences() == 0);
        assertThat(context.status().pagesUsed()).isZero();
    }

    @Test
    void aSlowReaderGetsTheSamePiecesLater() throws InterruptedException {
        int[] expected = alone(1);
        try (TextStream stream = babble(context, 1).stream()) {
            paused(1);
            Statistics before = context.statistics();
            assertThat(before.running() + before.waiting() + before.idle()).isZero();
            assertThat(before.generatedTokens()).isBetween((long) TextStream.READ_AHEAD, TOKENS - 100L);
            Thread.sleep(200);
            assertThat(context.statistics().steps()).isEqualTo(before.steps());
            context.trim(); // its pages go
            assertThat(context.statistics().pagesUsed()).isZero();
            int pieces = 0;
            int tokens = 0;
            StringBuilder text = new StringBuilder();
            for (Piece piece : stream) {
                text.append(piece);
                tokens += piece.tokens();
                if (++pieces % 40 == 0) {
                    Thread.sleep(5);
                }
                if (pieces == TextStream.READ_AHEAD / 2 - 10) {
                    assertThat(context.statistics().paused()).isEqualTo(1);
                }
            }
            assertThat(pieces).isGreaterThan(TextStream.READ_AHEAD);
            assertThat(tokens).isBetween(TOKENS - 4, TOKENS);
            assertThat(stream.reply().tokens()).isEqualTo(expected);
            assertThat(stream.reply().text()).isEqualTo(text.toString());
            assertThat(stream.reply().stopReason()).isEqualTo(StopReason.LENGTH);
        }
        allIsBack();
    }

    /** Ten that nobody reads and 500 idle chats, in a cache for four: a new prompt answers at once. */
    @Test
    void unreadStreamsAndIdleChatsHoldNobodyUp() {
        List<Chat> chats = new ArrayList<>();
        List<TextStream> unread = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            Chat chat = context.newChat();
            chats.add(chat);
            assertThat(chat.user("Question " + i).maxTokens(2).reply().tokens()).isNotEmpty();
        }
        for (int i = 0; i < 10; i++) {
            unread.add(babble(context, i).stream());
        }
        paused(10);
        Statistics before = context.statistics();
        assertThat(before.idle()).isEqualTo(500);
        Reply reply = context.chat(List.of(Message.user("Hello")))
                .sampler(Sampler.greedy())
                .reply();
        assertThat(reply.text()).isEqualTo(Models.answer("Hello"));
        // it had every step to itself: one for the prompt, one for each token but the first
        assertThat(context.statistics().steps() - before.steps()).isLessThanOrEqualTo(reply.tokens().length + 1L);
        assertThat(context.statistics().paused()).isEqualTo(10);
        for (int i = 0; i < 10; i++) {
            assertThat(unread.get(i).reply().tokens()).isEqualTo(alone(i));
            unread.get(i).close();
        }
        assertThat(chats.get(3).user("And then?").maxTokens(2).reply().tokens()).isNotEmpty();
        chats.forEach(Chat::close);
        allIsBack();
    }

    @Test
    void whoWaitsForTheEndIsNeverPaused() {
        Statistics before = context.statistics();
        CompletableFuture<Reply> future = babble(context, 3).async();
        assertThat(babble(context, 3).reply().tokens()).isEqualTo(future.join().tokens());
        try (TextStream stream = babble(context, 3).stream()) {
            Iterator<Piece> pieces = stream.iterator();
            for (int i = 0; i < 5; i++) {
                pieces.next();
            }
            paused(1);
            assertThat(stream.reply().tokens()).isEqualTo(future.join().tokens());
            assertThat(pieces.hasNext()).isTrue(); // they are still there
        }
        assertThat(context.statistics().generatedTokens() - before.generatedTokens())
                .isEqualTo(3L * TOKENS);
    }

    @Test
    void aPausedStreamMayBeClosedCancelledAndForgotten() {
        babble(context, 1).stream().close();
        TextStream closed = babble(context, 1).stream();
        TextStream cancelled = babble(context, 2).stream();
        forgotten();
        paused(3);
        closed.close();
        cancelled.cancel();
        Reply partial = cancelled.reply();
        assertThat(partial.stopReason()).isEqualTo(StopReason.CANCELLED);
        assertThat(partial.tokens().length).isBetween(TextStream.READ_AHEAD, TOKENS - 1);
        Eventually.holds("it is cancelled", closed::isDone);
        Eventually.holds("the forgotten one is cancelled", () -> {
            System.gc();
            return context.statistics().paused() == 0;
        });
        allIsBack();
    }

    private void forgotten() {
        assertThat(babble(context, 3).stream().isDone()).isFalse();
    }

    @Test
    void aTimeoutFindsAPausedStream() {
        try (TextStream stream = babble(context, 1).timeout(Duration.ofMillis(1500)).stream()) {
            paused(1);
            Eventually.holds("its time is over", stream::isDone);
            int pieces = 0;
            for (Piece piece : stream) {
                pieces += piece.text().isEmpty() ? 0 : 1;
            }
            assertThat(pieces).isGreaterThanOrEqualTo(TextStream.READ_AHEAD);
            assertThat(stream.reply().stopReason()).isEqualTo(StopReason.TIMEOUT);
        }
    }

    @Test
    void closingEndsPausedStreams() {
        Chat chat = context.newChat();
        TextStream ofTheChat = chat.user("Hello").ignoreEnd().sampler(Sampler.of(Sampler.temperature(20))).stream();
        TextStream stream = babble(context, 1).stream();
        paused(2);
        chat.close();
        Eventually.holds("the chat's stream ended", ofTheChat::isDone);
        assertThatExceptionOfType(ClosedException.class).isThrownBy(ofTheChat::reply);
        context.close();
        Iterator<Piece> pieces = stream.iterator();
        assertThat(pieces.hasNext()).isTrue(); // what had come is there
        assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> pieces.forEachRemaining(piece -> {}));
    }

    @Test
    void whatNeedsAQuietEngineDoesNotWaitForUnreadStreams() {
        double expected = context.score("The ferry leaves at noon.").logProbability();
        try (TextStream stream = babble(context, 1).stream()) {
            paused(1);
            assertThat(context.score("The ferry leaves at noon.").logProbability())
                    .isEqualTo(expected);
            assertThat(stream.reply().tokens()).isEqualTo(alone(1));
        }
    }

    /** Readers of all kinds at once: none deadlocks, and each gets what it would get alone. */
    @Test
    void manyReadersOfAllKinds() throws InterruptedException {
        int readers = 24;
        int[][] got = new int[readers][];
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < readers; i++) {
            int reader = i;
            threads.add(Thread.ofVirtual().start(() -> got[reader] = read(reader)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (int i = 0; i < readers; i++) {
            assertThat(got[i]).isEqualTo(alone(i % 4));
        }
        allIsBack();
    }

    private int[] read(int reader) {
        if (reader % 3 == 0) {
            return babble(context, reader % 4).async().join().tokens();
        }
        try (TextStream stream = babble(context, reader % 4).stream()) {
            int pieces = 0;
            for (Piece piece : stream) {
                pieces += piece.text().isEmpty() ? 0 : 1;
                if (pieces % 100 == 0) {
                    Thread.sleep(ThreadLocalRandom.current().nextInt(30));
                }
                if (reader % 3 == 1 && pieces == 300) {
                    break; // and wait for the rest
                }
            }
            return stream.reply().tokens();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
