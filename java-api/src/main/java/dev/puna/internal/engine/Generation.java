// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.PunaException;
import dev.puna.bindings.NativeEvent;
import dev.puna.bindings.NativeGeneration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One generation, between the engine's thread, which fills it, and one reader, who parks until something is there.
 *
 * <p>Invariant: it is accepted at most once and ends exactly once, by an outcome or by a failure. Nothing here refers
 * to an object of the API: a reader that was forgotten can be found out.
 *
 * <p>A reader of pieces who lags holds it back: the engine's thread pauses it beyond {@link #READ_AHEAD} unread ones
 * and resumes it at half of these. Who waits for the end reads nothing and never holds it back.
 */
public final class Generation {
    /** Unread pieces beyond which the engine does not go on. */
    public static final int READ_AHEAD = 256;

    private static final int CAUGHT_UP = READ_AHEAD / 2;

    /** Who changes logits before a token is chosen: a reader's, called on the thread that waits, without a lock. */
    @FunctionalInterface
    public interface Hook {
        /**
         * Looks at a row.
         *
         * @param logits to be changed in place
         * @param tokens generated until now
         */
        void look(float[] logits, int[] tokens);
    }

    /**
     * A piece of text.
     *
     * @param text whole characters
     * @param tokens generated since the piece before
     * @param mark whether it is no text, but the spelling of a control token that was asked for
     */
    public record Chunk(String text, int tokens, boolean mark) {}

    final int[] ids;
    final NativeGeneration settings;
    final Slot slot;
    final long deadline; // System.nanoTime, Long.MAX_VALUE: none
    private final Map<Integer, String> marks;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>();
    private final StringBuilder text = new StringBuilder();
    private int[] tokens = new int[16];
    private int count; // of tokens
    private final List<NativeEvent.Token> events = new ArrayList<>();
    private final List<Outcome.Mark> said = new ArrayList<>();
    private final List<Runnable> listeners = new ArrayList<>();
    private int unreported;
    private int reading; // threads that wait for a piece
    private boolean accepted;
    private @Nullable Outcome outcome;
    private @Nullable RuntimeException failure;
    private @Nullable RuntimeException aborted; // why a reader ended it: its end will be this
    private boolean whole; // somebody waits for the end: pieces may pile up
    private float @Nullable [] question; // a row that the reader is to look at

    /** The row that the reader looked at, for the engine's thread. */
    private final AtomicReference<float @Nullable []> answer = new AtomicReference<>();

    /** Who drives it; set before it is submitted. */
    private volatile @Nullable EngineThread driver;

    /** Set by anyone, acted upon by the engine's thread. */
    volatile boolean cancelWanted;

    /** The engine's thread: the core was told to cancel. */
    boolean cancelTold;

    /** The engine's thread: it was the deadline. */
    boolean timedOut;

    /** The engine's thread: the core holds it back. */
    boolean paused;

    /** The engine's thread: the core waits for the logits that were shown. */
    boolean asking;

    /** The engine's thread: since when, by System.nanoTime. */
    long asked;

    /**
     * A generation that is still to be submitted.
     *
     * @param ids the whole of the sequence's tokens
     * @param settings what to do
     * @param slot where
     * @param deadline by System.nanoTime; Long.MAX_VALUE for none
     * @param marks spellings of control tokens that the reader wants to see, by id; their text is not part of the text
     */
    public Generation(int[] ids, NativeGeneration settings, Slot slot, long deadline, Map<Integer, String> marks) {
        this.ids = ids;
        this.settings = settings;
        this.slot = slot;
        this.deadline = deadline;
        this.marks = Map.copyOf(marks);
    }

    // the engine's thread

    void accept() {
        change(() -> accepted = true);
    }

    /**
     * One more token. Wakes who reads pieces, and only where there is one to read: a thread that wakes for nothing
     * takes a core away from those that compute.
     *
     * @return whether the reader is too far behind
     */
    boolean token(NativeEvent.Token event) {
        lock.lock();
        try {
            if (count == tokens.length) {
                tokens = Arrays.copyOf(tokens, 2 * count);
            }
            tokens[count++] = event.token();
            unreported++;
            if (settings.logprobs() || settings.topLogprobs() > 0) {
                events.add(event);
            }
            give(event.text());
            String mark = marks.isEmpty() ? null : marks.get(event.token());
            if (mark != null) {
                said.add(new Outcome.Mark(text.length(), mark));
                chunks.add(new Chunk(mark, unreported, true));
                unreported = 0;
            }
            if (reading > 0 && !chunks.isEmpty()) {
                changed.signalAll();
            }
            return !whole && chunks.size() > READ_AHEAD;
        } finally {
            lock.unlock();
        }
    }

    void finish(NativeEvent.Finished event) {
        end(() -> {
            if (aborted != null) {
                failure = aborted;
                return;
            }
            give(event.text());
            outcome = new Outcome(
                    event.stop(),
                    timedOut,
                    text.toString(),
                    List.copyOf(said),
                    Arrays.copyOf(tokens, count),
                    List.copyOf(events),
                    event.promptTokens(),
                    event.cachedTokens(),
                    event.queuedNanos(),
                    event.promptNanos(),
                    event.generateNanos(),
                    event.droppedTokens(),
                    event.draftedTokens(),
                    event.acceptedTokens());
        });
    }

    /** A row was shown: who waits looks at it. */
    void ask(float[] logits) {
        asking = true;
        asked = System.nanoTime();
        change(() -> question = logits);
    }

    /** The row that was looked at, once. */
    float @Nullable [] takeAnswer() {
        return answer.get() == null ? null : answer.getAndSet(null);
    }

    /** Has its reader read enough for it to go on? */
    boolean isCaughtUp() {
        lock.lock();
        try {
            return whole || chunks.size() <= CAUGHT_UP;
        } finally {
            lock.unlock();
        }
    }

    void drivenBy(EngineThread engine) {
        driver = engine;
    }

    void fail(RuntimeException why) {
        end(() -> failure = why);
    }

    private void give(String piece) {
        if (!piece.isEmpty()) {
            text.append(piece);
            chunks.add(new Chunk(piece, unreported, false));
            unreported = 0;
        }
    }

    private void end(Runnable how) {
        List<Runnable> told = new ArrayList<>();
        change(() -> {
            if (outcome == null && failure == null) {
                how.run();
                told.addAll(listeners);
                listeners.clear();
            }
        });
        told.forEach(Generation::tell);
    }

    private void change(Runnable how) {
        lock.lock();
        try {
            how.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Listeners may do what they like, so they never run on the engine's thread. */
    private static void tell(Runnable listener) {
        Thread.ofVirtual().name("puna-listener").start(listener);
    }

    // everyone else

    /** {@return the whole of the sequence's tokens before the answer: not to be changed} */
    public int[] ids() {
        return ids;
    }

    /** {@return where} */
    public Slot slot() {
        return slot;
    }

    /** {@return what it is to do} */
    public NativeGeneration settings() {
        return settings;
    }

    /** Asks the engine to end this soon; without effect when it has ended. */
    public void cancel() {
        cancelWanted = true;
    }

    /** {@return whether it has ended, in whatever way} */
    public boolean isDone() {
        lock.lock();
        try {
            return outcome != null || failure != null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Runs something on a thread of its own once this has ended.
     *
     * @param listener called once
     */
    public void whenDone(Runnable listener) {
        lock.lock();
        try {
            if (outcome == null && failure == null) {
                listeners.add(listener);
                return;
            }
        } finally {
            lock.unlock();
        }
        tell(listener);
    }

    /**
     * Waits until the engine has taken this in.
     *
     * @throws InterruptedException if the thread is interrupted
     */
    public void awaitAccepted() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!accepted && outcome == null && failure == null) {
                changed.await();
            }
            if (failure != null && !accepted) {
                throw failure;
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for the next piece.
     *
     * @param hook looks at logits meanwhile, if any are shown
     * @return the piece, or null at the end
     * @throws InterruptedException if the thread is interrupted
     */
    public @Nullable Chunk next(Hook hook) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            reading++;
            try {
                while (chunks.isEmpty() && outcome == null && failure == null) {
                    waitOrLook(hook);
                }
            } finally {
                reading--;
            }
            Chunk chunk = chunks.poll();
            if (chunk == null && failure != null) {
                throw failure;
            }
            if (chunk != null && chunks.size() == CAUGHT_UP) {
                wake();
            }
            return chunk;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for the end, whatever it is.
     *
     * @param hook looks at logits meanwhile, if any are shown
     * @throws InterruptedException if the thread is interrupted
     */
    public void awaitEnd(Hook hook) throws InterruptedException {
        readWhole();
        lock.lockInterruptibly();
        try {
            while (outcome == null && failure == null) {
                waitOrLook(hook);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Says that pieces may pile up, since somebody waits for the end. */
    public void readWhole() {
        lock.lock();
        try {
            if (!whole) {
                whole = true;
                wake();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The engine's thread looks at what became of it. */
    private void wake() {
        EngineThread engine = driver;
        if (engine != null) {
            engine.wake();
        }
    }

    /** With the lock held, which is let go meanwhile. */
    private void waitOrLook(Hook hook) throws InterruptedException {
        float[] row = question;
        if (row == null) {
            changed.await();
            return;
        }
        question = null;
        int[] known = Arrays.copyOf(tokens, count);
        lock.unlock();
        try {
            hook.look(row, known);
            answer.set(row);
            wake();
        } catch (RuntimeException e) {
            abort(e);
            awaitUninterruptibly();
            throw e;
        } catch (Error e) {
            abort(new PunaException("the logits hook failed", e));
            awaitUninterruptibly();
            throw e;
        } finally {
            lock.lock();
        }
    }

    /** Its reader ends it: a failure that is told once the engine has let go of it. */
    void abort(RuntimeException why) {
        lock.lock();
        try {
            aborted = aborted == null ? why : aborted;
        } finally {
            lock.unlock();
        }
        cancel();
        wake();
    }

    /** Waits for the end, whatever it is, and whether or not the thread is interrupted. */
    public void awaitUninterruptibly() {
        lock.lock();
        try {
            while (outcome == null && failure == null) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** {@return how it ended; it must have} */
    public Outcome outcome() {
        lock.lock();
        try {
            if (failure != null) {
                throw failure;
            }
            if (outcome == null) {
                throw new IllegalStateException("the generation is not over yet");
            }
            return outcome;
        } finally {
            lock.unlock();
        }
    }
}
