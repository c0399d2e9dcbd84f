// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.store.ModelReference;
import dev.puna.store.ModelStore;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

    private final Options options;
    private final PooledModels models;

    private ModelPool(Options options) {
        this.options = options;
        long memory = options.memory > 0 ? options.memory : Machine.current().memory() / 4 * 3;
        this.models = new PooledModels(options, memory);
    }

    /** How a pool is set up. One thread. */
    public static final class Options {
        Duration keepAlive = Duration.ofMinutes(5);
        Duration patience = Duration.ofMinutes(1);
        private long memory;
        private @Nullable ModelStore store;
        Consumer<? super LoadProgress> listener = progress -> {};
        Consumer<ContextOptions> context = o -> {};

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
        private final PooledModels models;
        private final PooledModels.Entry entry;
        private final Throwable taken = new Throwable("lease");
        volatile boolean wanted;

        Return(PooledModels models, PooledModels.Entry entry) {
            this.models = models;
            this.entry = entry;
        }

        @Override
        public void run() {
            if (!wanted) {
                LOG.warn("a lease on {} was never closed; it was taken here:", entry.file, taken);
            }
            models.giveBack(entry);
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
        PooledModels.Entry entry = models.take(file(reference));
        return new Lease(entry.loaded(), new Return(models, entry));
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
        Path known = models.known(reference);
        if (known != null) {
            return known;
        }
        ModelStore from = options.store != null ? options.store : ModelStore.standard();
        Path file = from.fetch(
                reference,
                progress -> options.listener.accept(new LoadProgress(
                        LoadProgress.Stage.FETCHING, progress.detail(), progress.done(), progress.total())));
        Path real = real(file);
        models.know(reference, real);
        return real;
    }

    private static Path real(Path file) {
        try {
            return file.toRealPath();
        } catch (java.io.IOException e) {
            return file.toAbsolutePath(); // loading it will say why
        }
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

        Status(List<Loaded> models, long memoryUsed, long memoryTotal, PooledModels.Counts counts) {
            this.models = List.copyOf(models);
            this.memoryUsed = memoryUsed;
            this.memoryTotal = memoryTotal;
            this.loads = counts.loads;
            this.hits = counts.hits;
            this.idleUnloads = counts.idleUnloads;
            this.memoryUnloads = counts.memoryUnloads;
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

        Loaded(Path file, long bytes, int leases, Duration idle) {
            this.file = file;
            this.bytes = bytes;
            this.leases = leases;
            this.idle = idle;
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
        return models.status();
    }

    /** Closes all models, those in use too; without effect the second time. */
    @Override
    public void close() {
        models.close();
    }

    @Override
    public String toString() {
        return "pool of " + status().models();
    }
}
