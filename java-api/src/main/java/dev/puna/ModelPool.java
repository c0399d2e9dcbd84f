// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.jfr.UnloadEvent;
import dev.puna.store.ModelReference;
import dev.puna.store.ModelStore;
import java.lang.ref.Cleaner;
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
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Models that are loaded when somebody needs them, shared by all who do, and unloaded when nobody did for a while or
 * when others need their memory.
 *
 * <pre>{@code
 * try (ModelPool models = ModelPool.create(o -> o.keepAlive(Duration.ofMinutes(5)).memory(8L << 30))) {
 *     try (ModelPool.Lease lease = models.acquire("smollm2")) {
 *         System.out.println(lease.model().prompt("Once upon a time").maxTokens(32).text());
 *     }
 * }
 * }</pre>
 *
 * A model stays loaded while a lease on it is open. Those that nobody uses go when they were idle for
 * {@code keepAlive}, or, the longest unused first, when another one would not fit into {@code memory}; the next
 * {@code acquire} loads them again. A model is loaded once, however many callers come for it at the same time, and
 * references to the same file share it. A model counts with what {@link MemoryPlan#total()} says of it and its default
 * context: bound that by {@link Options#defaultContext}, or one model takes all.
 *
 * <p>Any thread, virtual ones too: callers park. Closing closes all models, which ends what runs on them with {@link
 * ClosedException}.
 */
public final class ModelPool implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelPool.class);
    private static final Cleaner CLEANER = Cleaner.create();
    private static final Duration LONGEST = Duration.ofDays(10_000);

    private final Options options;
    private final long memory;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // guarded by lock, as below
    private final Map<Path, Entry> entries = new HashMap<>();
    private final Map<ModelReference, Path> paths = new HashMap<>();
    private long reserved; // bytes of all models that are loaded, loading or closing
    private long loads;
    private long hits;
    private long idleUnloads;
    private long memoryUnloads;
    private boolean closed;

    private ModelPool(Options options) {
        this.options = options;
        this.memory = options.memory > 0 ? options.memory : Machine.current().memory() / 4 * 3;
    }

    /** One model: being loaded by the caller who came first, or loaded. Guarded by the pool's lock. */
    private static final class Entry {
        final Path file;
        final CompletableFuture<Model> loading = new CompletableFuture<>();

        @Nullable
        Model model;

        long bytes;
        int leases;
        long lastUse = System.nanoTime();
        boolean watched; // a look at its idleness is due some time

        Entry(Path file) {
            this.file = file;
        }
    }

    /** How a pool is set up. One thread. */
    public static final class Options {
        private Duration keepAlive = Duration.ofMinutes(5);
        private Duration patience = Duration.ofMinutes(1);
        private long memory;
        private @Nullable ModelStore store;
        private Consumer<? super LoadProgress> listener = progress -> {};
        private Consumer<ContextOptions> context = o -> {};

        private Options() {}

        private Options(Options other) {
            keepAlive = other.keepAlive;
            patience = other.patience;
            memory = other.memory;
            store = other.store;
            listener = other.listener;
            context = other.context;
        }

        /**
         * How long a model that nobody uses stays loaded.
         *
         * @param value 5 minutes unless set; nothing: it goes with its last lease
         * @return this
         */
        public Options keepAlive(Duration value) {
            if (value.isNegative()) {
                throw new IllegalArgumentException("keepAlive is " + value + "; it may not be negative");
            }
            keepAlive = value;
            return this;
        }

        /**
         * Memory of all models together, by their plans.
         *
         * @param bytes three quarters of the machine's memory unless set
         * @return this
         */
        public Options memory(long bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("memory is " + bytes + "; it must be at least 1");
            }
            memory = bytes;
            return this;
        }

        /**
         * How long a caller waits for models in use that are in the way of the one it wants.
         *
         * @param value 1 minute unless set
         * @return this
         */
        public Options patience(Duration value) {
            if (value.isNegative()) {
                throw new IllegalArgumentException("patience is " + value + "; it may not be negative");
            }
            patience = value;
            return this;
        }

        /**
         * Says where models are kept.
         *
         * @param value the user's standard store unless set
         * @return this
         */
        public Options store(ModelStore value) {
            store = value;
            return this;
        }

        /**
         * Listens to fetching and loading, on the thread of the caller who waits for it.
         *
         * @param value what it throws ends the loading
         * @return this
         */
        public Options onProgress(Consumer<? super LoadProgress> value) {
            listener = value;
            return this;
        }

        /**
         * Sets up the default context of each model.
         *
         * @param value sets what is wanted; called for each loading
         * @return this
         */
        public Options defaultContext(Consumer<ContextOptions> value) {
            context = value;
            return this;
        }
    }

    /**
     * Makes a pool with the default options.
     *
     * @return an empty pool, to be closed
     */
    public static ModelPool create() {
        return create(options -> {});
    }

    /**
     * Makes a pool.
     *
     * @param options sets what is wanted
     * @return an empty pool, to be closed
     */
    public static ModelPool create(Consumer<Options> options) {
        Options wanted = new Options();
        options.accept(wanted);
        return new ModelPool(new Options(wanted));
    }

    /**
     * A model for as long as this is open: until then it is not unloaded. Any thread; one that is forgotten is given
     * back, and the log says where it was taken.
     */
    public static final class Lease implements AutoCloseable {
        private final Model model;
        private final Cleaner.Cleanable release;
        private final Return back;

        private Lease(Model model, Return back) {
            this.model = model;
            this.back = back;
            this.release = CLEANER.register(this, back);
        }

        /** {@return the model, shared with others: not to be closed} */
        public Model model() {
            return model;
        }

        /** Gives the model back; without effect the second time. */
        @Override
        public void close() {
            back.wanted = true;
            release.clean();
        }

        @Override
        public String toString() {
            return "lease on " + model;
        }
    }

    /** What becomes of a lease: once, by its closing or by its being forgotten. */
    private static final class Return implements Runnable {
        private final ModelPool pool;
        private final Entry entry;
        private final Throwable taken = new Throwable("lease");
        volatile boolean wanted;

        Return(ModelPool pool, Entry entry) {
            this.pool = pool;
            this.entry = entry;
        }

        @Override
        public void run() {
            if (!wanted) {
                LOG.warn("a lease on {} was never closed; it was taken here:", entry.file, taken);
            }
            pool.giveBack(entry);
        }
    }

    /**
     * A model, loaded if it is not. Interrupting the thread ends the waiting; if it was the one that loads, another
     * caller who waits begins anew.
     *
     * @param reference as for {@link Model#load(String)}
     * @return to be closed when the model is not needed any more
     * @throws BusyException if models in use leave no room for it, for as long as the pool's patience
     * @throws InsufficientMemoryException if it alone needs more than the pool may have
     */
    public Lease acquire(String reference) {
        return acquire(ModelReference.parse(reference));
    }

    /**
     * A model, loaded if it is not.
     *
     * @param reference which
     * @return to be closed when the model is not needed any more
     * @throws BusyException if models in use leave no room for it, for as long as the pool's patience
     * @throws InsufficientMemoryException if it alone needs more than the pool may have
     */
    public Lease acquire(ModelReference reference) {
        Path file = file(reference);
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
                    hits++;
                }
                entry.leases++;
            } finally {
                lock.unlock();
            }
            Model model = mine ? load(entry) : await(entry);
            if (model != null) {
                return new Lease(model, new Return(this, entry));
            }
        }
    }

    /**
     * Does something with a model.
     *
     * @param reference as for {@link Model#load(String)}
     * @param work is given the model, loaded; it must not keep it
     * @param <T> what the work gives
     * @return what the work gave
     */
    public <T extends @Nullable Object> T use(String reference, Function<? super Model, ? extends T> work) {
        try (Lease lease = acquire(reference)) {
            return work.apply(lease.model());
        }
    }

    private Path file(ModelReference reference) {
        Path known;
        lock.lock();
        try {
            refuseClosed();
            known = paths.get(reference);
            if (known != null && entries.containsKey(known)) {
                return known;
            }
        } finally {
            lock.unlock();
        }
        ModelStore from = options.store != null ? options.store : ModelStore.standard();
        Path file = from.fetch(
                reference,
                progress -> options.listener.accept(new LoadProgress(
                        LoadProgress.Stage.FETCHING, progress.detail(), progress.done(), progress.total())));
        Path real = real(file);
        lock.lock();
        try {
            paths.put(reference, real);
        } finally {
            lock.unlock();
        }
        return real;
    }

    private static Path real(Path file) {
        try {
            return file.toRealPath();
        } catch (java.io.IOException e) {
            return file.toAbsolutePath(); // loading it will say why
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
                loads++;
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
                        memoryUnloads++;
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

    private void giveBack(Entry entry) {
        boolean unload = false;
        lock.lock();
        try {
            entry.leases--;
            if (entry.leases == 0 && entry.model != null && entries.get(entry.file) == entry) {
                entry.lastUse = System.nanoTime();
                if (options.keepAlive.isZero()) {
                    entries.remove(entry.file);
                    idleUnloads++;
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
            idleUnloads++;
        } finally {
            lock.unlock();
        }
        unload(entry, "idle");
    }

    private static long nanos(Duration time) {
        return time.compareTo(LONGEST) < 0 ? time.toNanos() : LONGEST.toNanos();
    }

    /** What a pool holds and has done. Immutable. */
    public static final class Status {
        private final List<Loaded> models;
        private final long memoryUsed;
        private final long memoryTotal;
        private final long loads;
        private final long hits;
        private final long idleUnloads;
        private final long memoryUnloads;

        private Status(ModelPool pool, List<Loaded> models) {
            this.models = List.copyOf(models);
            memoryUsed = pool.reserved;
            memoryTotal = pool.memory;
            loads = pool.loads;
            hits = pool.hits;
            idleUnloads = pool.idleUnloads;
            memoryUnloads = pool.memoryUnloads;
        }

        /** {@return the models that are loaded, the longest unused first} */
        public List<Loaded> models() {
            return models;
        }

        /** {@return bytes that all models may need together, by their plans} */
        public long memoryUsed() {
            return memoryUsed;
        }

        /** {@return bytes that they may have} */
        public long memoryTotal() {
            return memoryTotal;
        }

        /** {@return models that were loaded since the pool was made; so are the counts below} */
        public long loads() {
            return loads;
        }

        /** {@return requests that found their model loaded} */
        public long hits() {
            return hits;
        }

        /** {@return models that went because nobody used them} */
        public long idleUnloads() {
            return idleUnloads;
        }

        /** {@return models that went because others needed their memory} */
        public long memoryUnloads() {
            return memoryUnloads;
        }
    }

    /** A model of a pool. Immutable. */
    public static final class Loaded {
        private final Path file;
        private final long bytes;
        private final int leases;
        private final Duration idle;

        private Loaded(Entry entry, long now) {
            file = entry.file;
            bytes = entry.bytes;
            leases = entry.leases;
            idle = leases > 0 ? Duration.ZERO : Duration.ofNanos(Math.max(0, now - entry.lastUse));
        }

        /** {@return its file} */
        public Path file() {
            return file;
        }

        /** {@return bytes that it counts with} */
        public long bytes() {
            return bytes;
        }

        /** {@return leases that are open} */
        public int leases() {
            return leases;
        }

        /** {@return for how long nobody has used it} */
        public Duration idle() {
            return idle;
        }

        @Override
        public String toString() {
            return file.getFileName() + " (" + leases + " leases)";
        }
    }

    /** {@return what the pool holds and has done} */
    public Status status() {
        lock.lock();
        try {
            long now = System.nanoTime();
            List<Loaded> loaded = new ArrayList<>();
            entries.values().stream()
                    .filter(e -> e.model != null)
                    .sorted(Comparator.comparingLong(e -> e.leases > 0 ? Long.MAX_VALUE : e.lastUse - now))
                    .forEach(e -> loaded.add(new Loaded(e, now)));
            return new Status(this, loaded);
        } finally {
            lock.unlock();
        }
    }

    /** Closes all models, those in use too; without effect the second time. */
    @Override
    public void close() {
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

    @Override
    public String toString() {
        return "pool of " + status().models();
    }
}
