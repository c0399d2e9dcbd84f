// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.BusyException;
import dev.puna.ClosedException;
import dev.puna.bindings.NativeClosedException;
import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeEngineInfo;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeProfile;
import dev.puna.bindings.NativeState;
import dev.puna.internal.Failures;
import dev.puna.internal.Platform;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that drives an engine: a daemon on the platform. Everybody else sends it messages and parks.
 *
 * <p>It holds no object of the API, so that a forgotten context or stream can be found out; no listener runs on it.
 * Invariant: every generation that was submitted ends, by an outcome or a failure, also when the engine closes or
 * breaks.
 */
public final class EngineThread {
    private static final Logger LOG = LoggerFactory.getLogger(EngineThread.class);

    private final NativeEngine engine;
    private final Mailbox mail = new Mailbox();
    private final Taps taps = new Taps();
    private final EngineLoop loop;
    private final WholeTexts wholeTexts;
    private final Thread thread;
    private @Nullable Object profiler; // this thread: who takes its time

    private EngineThread(NativeEngine engine) {
        this.engine = engine;
        this.loop = new EngineLoop(engine, mail, taps);
        this.wholeTexts = new WholeTexts(engine, mail);
        this.thread = Platform.start("engine", loop::run);
    }

    /**
     * Takes over an engine.
     *
     * @param engine whose driver this is from now on
     * @return the running thread
     */
    public static EngineThread drive(NativeEngine engine) {
        return new EngineThread(engine);
    }

    /** {@return the engine's state, a snapshot} */
    public NativeEngineInfo info() {
        return Failures.mapped(() -> mail.ask(engine::info));
    }

    /**
     * The engine's state at once, whatever the thread is doing; of a closed engine as it was at the end.
     *
     * @return a snapshot
     */
    public NativeEngineInfo figures() {
        try {
            return engine.info();
        } catch (NativeClosedException e) {
            NativeEngineInfo last = loop.last();
            if (last != null) {
                return last;
            }
            throw Failures.of(e);
        }
    }

    /**
     * Tells somebody what happens from now on.
     *
     * @param tap told on the engine's thread; at once that it is over, if the engine is closed
     */
    public void add(Tap tap) {
        taps.add(tap);
    }

    /**
     * Tells somebody nothing any more.
     *
     * @param tap which
     */
    public void remove(Tap tap) {
        taps.remove(tap);
    }

    /**
     * Submits a generation; it is accepted, or fails, soon.
     *
     * @param generation a new one
     */
    public void submit(Generation generation) {
        generation.drivenBy(this);
        if (!mail.send(() -> loop.start(generation))) {
            throw Mailbox.closed();
        }
    }

    /** Has the thread look at what became of its generations. */
    void wake() {
        mail.send(() -> {});
    }

    /**
     * Ends a generation soon.
     *
     * @param generation which; may have ended
     */
    public void cancel(Generation generation) {
        generation.cancel();
        wake(); // closed: everything has ended
    }

    /** Gives back all pages that nobody computes with. */
    public void trim() {
        Failures.mapped(() -> mail.ask(() -> {
            engine.trim();
            return true;
        }));
    }

    /**
     * Takes the engine's time from now on, between two steps.
     *
     * @param who wants it; nobody else ends or reads it
     * @throws BusyException if somebody else does
     */
    public void beginProfile(Object who) {
        Failures.mapped(() -> mail.ask(() -> {
            if (profiler != null) {
                throw new BusyException("this context is profiled already: close that profiler first");
            }
            NativeProfile.watch(engine, true);
            profiler = who;
            return true;
        }));
    }

    /**
     * Begins again from zero what {@link #beginProfile} began.
     *
     * @param who began it
     * @throws ClosedException if it was ended
     */
    public void restartProfile(Object who) {
        Failures.mapped(() -> mail.ask(() -> {
            checkProfiler(who);
            NativeProfile.watch(engine, true);
            return true;
        }));
    }

    /**
     * Where the time went since then.
     *
     * @param who began it
     * @return a snapshot between two steps
     * @throws ClosedException if it was ended
     */
    public NativeProfile profile(Object who) {
        return Failures.mapped(() -> mail.ask(() -> {
            checkProfiler(who);
            return NativeProfile.read(engine);
        }));
    }

    private void checkProfiler(Object who) {
        if (profiler != who) {
            throw new ClosedException("the profiler is closed");
        }
    }

    /**
     * Ends what {@link #beginProfile} began, soon.
     *
     * @param who began it
     */
    public void endProfile(Object who) {
        mail.send(() -> {
            if (profiler == who) {
                NativeProfile.watch(engine, false);
                profiler = null;
            }
        });
    }

    /**
     * Gives back a slot's sequence.
     *
     * @param slot not used any more
     */
    public void release(Slot slot) {
        mail.send(() -> {
            slot.released = true;
            loop.close(slot);
        });
    }

    /**
     * Gives a slot a fork of another one's sequence, soon: before all that is sent from now on. Where that can't be, it
     * begins without one, and computes again what it needs.
     *
     * @param from any
     * @param to that has no sequence yet
     */
    public void fork(Slot from, Slot to) {
        mail.send(() -> {
            if (!from.open || to.open || to.released) {
                return;
            }
            try {
                to.id = engine.fork(from.id);
                to.open = true;
            } catch (NativeException e) {
                LOG.debug("a chat's fork begins without what it shares", e);
            }
        });
    }

    /**
     * Saves a slot's sequence, between two steps.
     *
     * @param slot any
     * @return its state, to be closed; null if it has none
     */
    public @Nullable NativeState save(Slot slot) {
        long needed = Failures.mapped(() -> mail.ask(() -> slot.open ? engine.stateLength(slot.id) : 0L));
        while (needed > 0) {
            NativeState state = NativeState.allocate(needed); // not on the engine's thread: memory may be short
            boolean whole = false;
            try {
                needed = Failures.mapped(() -> mail.ask(() -> slot.open ? engine.save(slot.id, state) : 0L));
                whole = needed == state.length();
                if (whole) {
                    return state;
                }
            } finally {
                if (!whole) {
                    state.close();
                }
            }
        }
        return null;
    }

    /**
     * Opens a sequence that was saved, between two steps.
     *
     * @param state not closed meanwhile
     * @param slot that has no sequence yet; it has this one then
     * @throws NativeException as {@link NativeEngine#restore}: what it means depends on where the state came from
     */
    public void restore(NativeState state, Slot slot) {
        mail.ask(() -> {
            slot.id = engine.restore(state);
            slot.open = true;
            return slot;
        });
    }

    /** {@return what it computes beside generations} */
    public WholeTexts wholeTexts() {
        return wholeTexts;
    }

    /** Ends all generations with {@link ClosedException} and gives the engine back; waits for that. */
    public void close() {
        abandon();
        if (Thread.currentThread() != thread) {
            joinUninterruptibly();
        }
    }

    /** Its owner is unreachable: as {@link #close}, without waiting. */
    public void abandon() {
        if (mail.close()) {
            wholeTexts.cancel();
        }
    }

    /** {@return whether close was called} */
    public boolean isClosed() {
        return mail.isClosed();
    }

    private void joinUninterruptibly() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
