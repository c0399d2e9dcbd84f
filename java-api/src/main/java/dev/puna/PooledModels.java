// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.jfr.UnloadEvent;
import dev.puna.store.ModelReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a pool holds: which models are loaded, loading or closing, who uses them, when they go. A model counts from
 * before it is loaded until after it is closed. Any thread; neither loading nor closing happens under the lock.
 */
final class PooledModels {
    private static final Logger LOG = LoggerFactory.getLogger(ModelPool.class);
    private static final Duration LONGEST = Duration.ofDays(10_000);

    private final ModelPool.Options options;
    private final long memory;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // guarded by lock, as below
    private final Map<Path, Entry> entries = new HashMap<>();
    private final Map<ModelReference, Path> paths = new HashMap<>();
    private final Counts counts = new Counts();
    private long reserved; // bytes of all models that are loaded, loading or closing
    private boolean closed;

    PooledModels(ModelPool.Options options, long memory) {
        this.options = options;
        this.memory = memory;
    }

    /** What was done since the pool was made. Guarded by the lock. */
    static final class Counts {
        long loads;
        long hits;
        long idleUnloads;
        long memoryUnloads;
    }

    /** One model: being loaded by the caller who came first, or loaded. Guarded by the pool's lock. */
    static final class Entry {
        final Path file;
        final CompletableFuture<Model> loading = new CompletableFuture<>();

        private @Nullable Model model;
        private long bytes;
        private int leases;
        private long lastUse = System.nanoTime();
        private boolean watched; // a look at its idleness is due some time

        Entry(Path file) {
            this.file = file;
        }

        /** {@return its model; for those who hold a lease} */
        Model loaded() {
            return loading.join();
        }
    }

    /** {@return the file that a reference was found to mean, if its model is loaded; else null} */
    @Nullable
    Path known(ModelReference reference) {
        lock.lock();
        try {
            refuseClosed();
            Path known = paths.get(reference);
            return known != null && entries.containsKey(known) ? known : null;
        } finally {
            lock.unlock();
        }
    }

    /** Notes which file a reference means. */
    void know(ModelReference reference, Path file) {
        lock.lock();
        try {
            paths.put(reference, file);
        } finally {
            lock.unlock();
        }
    }

    /** A file's model, loaded if it is not, with one lease more: to be given back. */
    Entry take(Path file) {
        while (true) {
            Entry entry;
            boolean mine;
            lock.lock();
            try {
                refuseClosed();
                entry = entries.get(file);
                if (entry != null && entry.model != null && entry.model.isClosed()) {
                    forget(entry); // by somebody who should not have
                    entry = null;
                }
                mine = entry == null;
                if (entry == null) {
                    entry = new Entry(file);
                    entries.put(file, entry);
                } else if (entry.model != null) {
                    counts.hits++;
                }
                entry.leases++;
            } finally {
                lock.unlock();
            }
            if ((mine ? load(entry) : await(entry)) != null) {
                return entry;
            }
        }
    }

    private void refuseClosed() {
        if (closed) {
            throw new ClosedException("the pool of models is closed");
        }
    }

    /** The caller who came first loads; whatever becomes of that, those who wait hear of it. */
    private Model load(Entry entry) {
        Model model = null;
        try {
            Model.Builder builder =
                    Model.builder(entry.file).defaultContext(options.context).onProgress(options.listener);
            reserve(entry, builder.plan());
            model = builder.load();
            lock.lock();
            try {
                refuseClosed();
                entry.model = model;
                counts.loads++;
            } finally {
                lock.unlock();
            }
            entry.loading.complete(model);
            return model;
        } catch (RuntimeException | Error e) {
            lock.lock();
            try {
                forget(entry);
            } finally {
                lock.unlock();
            }
            if (model != null) {
                model.close();
            }
            entry.loading.completeExceptionally(Thread.currentThread().isInterrupted() ? new GivenUp(e) : e);
            throw e;
        }
    }

    /** The one who loaded was interrupted: those who wait may try by themselves. */
    private static final class GivenUp extends RuntimeException {
        private static final long serialVersionUID = 1L;

        GivenUp(Throwable cause) {
            super(cause);
        }
    }

    /** Waits for another caller's loading; null: try again. */
    private @Nullable Model await(Entry entry) {
        try {
            return entry.loading.get();
        } catch (InterruptedException e) {
            giveBack(entry);
            Thread.currentThread().interrupt();
            throw new PunaException("waiting for " + entry.file + " to be loaded was interrupted", e);
        } catch (java.util.concurrent.ExecutionException e) {
            switch (e.getCause()) {
                case GivenUp _ -> {
                    return null;
                }
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    /** Takes an entry out that has failed or lost its model; those who still hold leases give back nothing. */
    private void forget(Entry entry) {
        if (entries.remove(entry.file, entry)) {
            reserved -= entry.bytes;
            entry.bytes = 0;
            changed.signalAll();
        }
    }

    /** Makes room and takes it; unloads what nobody uses, waits for what somebody does. */
    private void reserve(Entry entry, MemoryPlan plan) {
        long bytes = plan.total();
        if (bytes > memory) {
            throw new InsufficientMemoryException(
                    entry.file + " needs " + bytes + " bytes (" + plan + "), the pool may have " + memory
                            + ": bound its default context, or allow more memory",
                    bytes,
                    memory);
        }
        long left = nanos(options.patience);
        while (true) {
            Entry victim;
            lock.lock();
            try {
                while (true) {
                    refuseClosed();
                    if (reserved + bytes <= memory) {
                        reserved += bytes;
                        entry.bytes = bytes;
                        return;
                    }
                    victim = longestUnused();
                    if (victim != null) {
                        counts.memoryUnloads++;
                        entries.remove(victim.file);
                        break;
                    }
                    if (left <= 0) {
                        throw new BusyException(entry.file + " needs " + bytes + " bytes, but of the pool's " + memory
                                + " " + reserved + " are in use: try again later, or allow more memory");
                    }
                    left = changed.awaitNanos(left);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new PunaException("waiting for memory for " + entry.file + " was interrupted", e);
            } finally {
                lock.unlock();
            }
            unload(victim, "memory");
        }
    }

    private @Nullable Entry longestUnused() {
        long now = System.nanoTime();
        return entries.values().stream()
                .filter(e -> e.model != null && e.leases == 0)
                .min(Comparator.comparingLong(e -> e.lastUse - now))
                .orElse(null);
    }

    /** Closes a model that was taken out of the entries, without the lock: a running step may take its time. */
    private void unload(Entry entry, String reason) {
        UnloadEvent event = new UnloadEvent();
        event.begin();
        event.file = entry.file.toString();
        event.reason = reason;
        event.bytes = entry.bytes;
        try {
            Model model = entry.model;
            if (model != null) {
                model.close();
            }
            LOG.debug("unloaded {}: {}", entry.file, reason);
        } finally {
            event.commit();
            lock.lock();
            try {
                reserved -= entry.bytes;
                entry.bytes = 0;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    void giveBack(Entry entry) {
        boolean unload = false;
        lock.lock();
        try {
            entry.leases--;
            if (entry.leases == 0 && entry.model != null && entries.get(entry.file) == entry) {
                entry.lastUse = System.nanoTime();
                if (options.keepAlive.isZero()) {
                    entries.remove(entry.file);
                    counts.idleUnloads++;
                    unload = true;
                } else {
                    watch(entry, nanos(options.keepAlive));
                }
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        if (unload) {
            unload(entry, "idle");
        }
    }

    /** Looks at an idle entry when its time may be over; one look at most is due at a time. */
    private void watch(Entry entry, long nanos) {
        if (!entry.watched && options.keepAlive.compareTo(LONGEST) < 0) {
            entry.watched = true;
            Executor later = CompletableFuture.delayedExecutor(
                    nanos,
                    TimeUnit.NANOSECONDS,
                    task -> Thread.ofVirtual().name("puna-pool").start(task));
            later.execute(() -> look(entry));
        }
    }

    private void look(Entry entry) {
        lock.lock();
        try {
            entry.watched = false;
            if (closed || entry.leases > 0 || entries.get(entry.file) != entry) {
                return;
            }
            long left = nanos(options.keepAlive) - (System.nanoTime() - entry.lastUse);
            if (left > 0) {
                watch(entry, left);
                return;
            }
            entries.remove(entry.file);
            counts.idleUnloads++;
        } finally {
            lock.unlock();
        }
        unload(entry, "idle");
    }

    private static long nanos(Duration time) {
        return time.compareTo(LONGEST) < 0 ? time.toNanos() : LONGEST.toNanos();
    }

    ModelPool.Status status() {
        lock.lock();
        try {
            long now = System.nanoTime();
            List<ModelPool.Loaded> loaded = new ArrayList<>();
            entries.values().stream()
                    .filter(e -> e.model != null)
                    .sorted(Comparator.comparingLong(e -> e.leases > 0 ? Long.MAX_VALUE : e.lastUse - now))
                    .forEach(e -> loaded.add(new ModelPool.Loaded(e.file, e.bytes, e.leases, idle(e, now))));
            return new ModelPool.Status(loaded, reserved, memory, counts);
        } finally {
            lock.unlock();
        }
    }

    private static Duration idle(Entry entry, long now) {
        return entry.leases > 0 ? Duration.ZERO : Duration.ofNanos(Math.max(0, now - entry.lastUse));
    }

    void close() {
        List<Entry> all;
        lock.lock();
        try {
            closed = true;
            all = entries.values().stream().filter(e -> e.model != null).toList();
            all.forEach(e -> entries.remove(e.file));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        all.forEach(e -> unload(e, "closed"));
    }
}
