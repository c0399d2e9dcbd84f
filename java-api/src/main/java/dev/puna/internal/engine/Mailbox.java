// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.ClosedException;
import dev.puna.GenerationInterruptedException;
import java.util.ArrayDeque;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What others want of an engine's thread: messages, which it runs between two steps, and questions, whose askers park.
 *
 * <p>Invariant: a message that was taken in is run, at the latest by {@link #refuse}, when the engine is closed; so
 * whoever waits for an answer gets one.
 */
final class Mailbox {
    private static final Logger LOG = LoggerFactory.getLogger(Mailbox.class);

    private final LinkedBlockingQueue<Runnable> messages = new LinkedBlockingQueue<>();
    private final ArrayDeque<Runnable> whenQuiet = new ArrayDeque<>(); // the engine's thread's
    private boolean closed; // guarded by this: later messages are refused

    // everyone

    /** Has a message run soon; false if the mailbox is closed. */
    synchronized boolean send(Runnable message) {
        return !closed && messages.add(message);
    }

    /** Asks between two steps. */
    <T> T ask(Callable<T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        if (!send(() -> answer(answer, question))) {
            throw closed();
        }
        return Answers.await(answer, () -> {});
    }

    /** A question that may wait long; an interrupt ends the waiting at once, and its work soon. */
    <T> T askWhenQuiet(Callable<T> question, Runnable cancel) {
        AtomicBoolean taken = new AtomicBoolean();
        CompletableFuture<T> answer = new CompletableFuture<>();
        Runnable message = () -> {
            if (taken.compareAndSet(false, true)) {
                answer(answer, question);
            }
        };
        if (!send(() -> whenQuiet.add(message))) {
            throw closed();
        }
        return Answers.await(answer, () -> {
            if (taken.compareAndSet(false, true)) {
                answer.completeExceptionally(new GenerationInterruptedException(null));
            } else {
                cancel.run();
            }
        });
    }

    private static <T> void answer(CompletableFuture<T> answer, Callable<T> question) {
        try {
            answer.complete(question.call());
        } catch (Exception e) {
            answer.completeExceptionally(e);
        }
    }

    /** Takes nothing in any more, and wakes the engine's thread; false if it was closed. */
    synchronized boolean close() {
        if (closed) {
            return false;
        }
        closed = true;
        messages.add(() -> {}); // wakes the thread
        return true;
    }

    synchronized boolean isClosed() {
        return closed;
    }

    static ClosedException closed() {
        return new ClosedException("the context is closed, or the model that it belongs to");
    }

    // the engine's thread

    /** The next message, if there is one. */
    @Nullable
    Runnable poll() {
        return messages.poll();
    }

    /** The next message, waited for; null if a time of System.nanoTime comes first. */
    @Nullable
    Runnable await(@Nullable Long until) throws InterruptedException {
        return until == null ? messages.take() : messages.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    /** Does somebody wait for quiet? */
    boolean wantsQuiet() {
        return !whenQuiet.isEmpty();
    }

    /** Runs what waits for quiet, as long as it lasts. */
    void runWhile(BooleanSupplier quiet) {
        while (!whenQuiet.isEmpty() && quiet.getAsBoolean()) {
            whenQuiet.remove().run();
        }
    }

    /** Messages that came too late: who waits for one gets the closed engine's answer. */
    void refuse() {
        while (!messages.isEmpty() || !whenQuiet.isEmpty()) { // the first ones may add to the second ones
            Runnable message = messages.poll();
            try {
                (message != null ? message : whenQuiet.remove()).run();
            } catch (RuntimeException e) {
                LOG.debug("a message to a closed engine", e);
            }
        }
    }
}
