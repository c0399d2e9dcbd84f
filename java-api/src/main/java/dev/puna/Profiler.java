// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.EngineThread;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the time of what a context computes, from {@link Generator#profile()} until it is closed.
 *
 * <pre>{@code
 * try (Profiler profiler = context.profile()) {
 *     context.prompt("Once upon a time").maxTokens(64).text();
 *     for (Profile.Work phase : profiler.read().phases()) {
 *         System.out.println(phase.name() + ": " + phase.wall().toMillis() + " ms, idle " + phase.idleShare());
 *     }
 * }
 * }</pre>
 *
 * A context has one at a time. While it is open the context's threads look at the clock around every piece of work,
 * which costs some percent where models are small; answers stay the same, bit for bit. Any thread, also while requests
 * run: it begins, reads and ends between two steps of theirs, and waits for these.
 */
public final class Profiler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Profiler.class);
    private static final Cleaner CLEANER = Cleaner.create();

    private final Context context; // keeps it reachable
    private final Taken taken;

    Profiler(Context context) {
        this.context = context;
        this.taken = new Taken(context.engine());
        taken.engine.beginProfile(taken);
        CLEANER.register(this, taken::forgotten);
    }

    /** What is there of a profiler while the engine's time is taken. */
    private static final class Taken {
        private final EngineThread engine;
        private final AtomicBoolean ended = new AtomicBoolean();

        Taken(EngineThread engine) {
            this.engine = engine;
        }

        void end() {
            if (ended.compareAndSet(false, true)) {
                engine.endProfile(this);
            }
        }

        void forgotten() {
            if (!ended.get() && !engine.isClosed()) {
                LOG.warn("a profiler was never closed");
                end();
            }
        }
    }

    /**
     * Where the time went since it was made, or began anew.
     *
     * @return a snapshot
     * @throws ClosedException if this or the context is closed
     */
    public Profile read() {
        open();
        return new Profile(taken.engine.profile(taken));
    }

    /**
     * Begins anew: what was until now is forgotten.
     *
     * @throws ClosedException if this or the context is closed
     */
    public void restart() {
        open();
        taken.engine.restartProfile(taken);
    }

    private void open() {
        if (taken.ended.get()) {
            throw new ClosedException("the profiler is closed");
        }
    }

    /** Ends it; without effect the second time. */
    @Override
    public void close() {
        taken.end();
    }

    @Override
    public String toString() {
        return "profiler of " + context;
    }
}
