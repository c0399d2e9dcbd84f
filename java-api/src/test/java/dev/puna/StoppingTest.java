// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ends that come from outside: timeouts, cancellations, interrupts, on a model that would go on for minutes. */
@Timeout(60)
class StoppingTest {
    private Context context;

    @BeforeEach
    void open() {
        context = Models.smollm2().newContext(options -> options.maxSequences(4));
    }

    @AfterEach
    void close() {
        context.close();
    }

    private Prompt endless() {
        return context.prompt("Once upon a time").ignoreEnd();
    }

    private int busy() {
        Context.Status status = context.status();
        return status.running() + status.waiting();
    }

    private void allPagesAreBack() {
        // What was cancelled before its first step has no pages, and is in the engine's hands still.
        Eventually.holds("nothing runs", () -> busy() == 0);
        Eventually.holds("all pages are back", () -> context.status().pagesUsed() == 0);
        assertThat(context.status().sequences()).isZero();
    }

    @Test
    void aTimeoutKeepsWhatThereIs() {
        long begun = System.nanoTime();
        Reply reply = endless().timeout(Duration.ofMillis(400)).reply();
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(Duration.ofMillis(400));
        assertThat(reply.stopReason()).isEqualTo(StopReason.TIMEOUT);
        assertThat(reply.usage().generatedTokens()).isEqualTo(reply.tokens().length);
        allPagesAreBack();
    }

    @Test
    void aCancelledStreamEndsWithinTwoSteps() {
        long fewest = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) { // this thread may lose the processor between its two looks
            try (TextStream stream = endless().stream()) {
                Iterator<Piece> pieces = stream.iterator();
                pieces.next();
                assertThat(context.status().pagesUsed()).isPositive();
                long before = context.status().steps();
                stream.cancel();
                Reply reply = stream.reply();
                fewest = Math.min(fewest, context.status().steps() - before);
                assertThat(reply.stopReason()).isEqualTo(StopReason.CANCELLED);
                assertThat(reply.text()).isNotEmpty();
                stream.cancel(); // again: nothing happens
                assertThat(stream.reply()).isSameAs(reply);
            }
        }
        assertThat(fewest).isLessThanOrEqualTo(2);
        allPagesAreBack();
    }

    @Test
    void aClosedStreamEnds() {
        try (TextStream stream = endless().stream()) {
            stream.iterator().next();
        }
        allPagesAreBack();
    }

    @Test
    void aRequestIsCancelledWhileItWaits() {
        try (Context one = Models.smollm2().newContext(options -> options.maxSequences(1));
                TextStream first = one.prompt("Once").ignoreEnd().stream();
                TextStream second = one.prompt("Twice").ignoreEnd().stream()) {
            Eventually.holds("the second one waits", () -> one.status().waiting() == 1);
            second.cancel();
            assertThat(second.reply().tokens()).isEmpty();
            assertThat(second.reply().stopReason()).isEqualTo(StopReason.CANCELLED);
            assertThat(first.isDone()).isFalse();
        }
    }

    @Test
    void anInterruptHandsOutWhatThereIs() throws InterruptedException {
        AtomicReference<GenerationInterruptedException> thrown = new AtomicReference<>();
        AtomicReference<Boolean> flag = new AtomicReference<>();
        AtomicReference<TextStream> running = new AtomicReference<>();
        Thread reader = Thread.ofVirtual().start(() -> {
            try (TextStream stream = endless().stream()) {
                running.set(stream);
                stream.reply();
            } catch (GenerationInterruptedException e) {
                thrown.set(e);
                flag.set(Thread.currentThread().isInterrupted());
            }
        });
        Eventually.holds(
                "it runs", () -> running.get() != null && context.status().steps() > 3);
        reader.interrupt();
        reader.join();
        assertThat(flag).hasValue(true);
        Reply partial = thrown.get().partial();
        assertThat(partial.tokens()).isNotEmpty();
        assertThat(partial.text()).isNotEmpty();
        assertThat(partial.stopReason()).isEqualTo(StopReason.CANCELLED);
        allPagesAreBack();
    }

    @Test
    void aThreadThatIsInterruptedAlreadyGetsNoTokens() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> endless().text())
                .isInstanceOfSatisfying(
                        GenerationInterruptedException.class,
                        e -> assertThat(e.partial().tokens()).hasSizeLessThan(3));
        assertThat(Thread.interrupted()).isTrue();
        allPagesAreBack();
    }

    @Test
    void aCancelledFutureStopsTheGeneration() {
        CompletableFuture<Reply> future = endless().async();
        assertThat(busy()).isEqualTo(1);
        assertThat(future.cancel(true)).isTrue();
        assertThatThrownBy(future::join).isInstanceOf(CancellationException.class);
        allPagesAreBack();
    }

    @Test
    void aFutureCompletesOnAThreadThatMayCloseEverything() {
        Context own = Models.tiny().newContext(options -> options.maxSequences(1));
        int[] ids = Models.conversation("Hello").ids("ids");
        String thread = own.prompt(ids)
                .sampler(Sampler.greedy())
                .async()
                .thenApply(reply -> {
                    assertThat(reply.text()).isEqualTo(Models.answer("Hello"));
                    own.close();
                    return Thread.currentThread().getName();
                })
                .join();
        assertThat(thread).doesNotContain("engine");
        assertThat(own.isClosed()).isTrue();
    }

    @Test
    void logitsCanBeInterrupted() throws InterruptedException {
        int[] ids = new int[4000];
        AtomicReference<RuntimeException> thrown = new AtomicReference<>();
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                context.logits(ids, ids.length - 1);
            } catch (RuntimeException e) {
                thrown.set(e);
            }
        });
        Thread.sleep(100);
        caller.interrupt();
        caller.join();
        assertThat(thrown.get()).isInstanceOf(GenerationInterruptedException.class);
        allPagesAreBack();
    }

    @Test
    @SuppressWarnings("ReturnValueIgnored")
    void aForgottenStreamIsCancelled() {
        forget();
        Eventually.holds("the forgotten stream is cancelled", () -> {
            System.gc();
            return busy() == 0;
        });
        allPagesAreBack();
    }

    private void forget() {
        assertThat(endless().stream().isDone()).isFalse();
        assertThat(busy()).isEqualTo(1);
    }

    @Test
    void aForgottenStreamOfAChatIsCancelledAndItsAnswerKept() {
        try (Chat chat = context.newChat()) {
            assertThat(chat.user("Tell me a long story.").ignoreEnd().stream().isDone())
                    .isFalse();
            Eventually.holds("the forgotten stream is cancelled", () -> {
                System.gc();
                return busy() == 0;
            });
            assertThat(chat.messages()).hasSize(2);
            assertThat(chat.messages().getLast()).isInstanceOf(Message.Assistant.class);
        }
    }
}
