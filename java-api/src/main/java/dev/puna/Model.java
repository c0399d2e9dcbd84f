// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeFile;
import dev.puna.bindings.NativeMemoryPlan;
import dev.puna.bindings.NativeModel;
import dev.puna.internal.AdapterLoader;
import dev.puna.internal.ChatFormat;
import dev.puna.internal.Core;
import dev.puna.internal.Failures;
import dev.puna.internal.Grammars;
import dev.puna.internal.Loader;
import dev.puna.internal.Platform;
import dev.puna.store.ModelReference;
import dev.puna.store.ModelStore;
import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A language model: weights, tokenizer and chat template, loaded once.
 *
 * <pre>{@code
 * try (Model model = Model.load("smollm2")) {
 *     System.out.println(model.prompt("Once upon a time").maxTokens(64).text());
 * }
 * }</pre>
 *
 * Immutable; any thread, virtual ones too. It generates through a default {@link Context}, made at first use; further
 * ones share its weights. Closing closes its contexts. One that is forgotten is freed, and the log says where it was
 * opened.
 */
public final class Model implements Generator, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Model.class);
    private static final Cleaner CLEANER = Cleaner.create();

    private final NativeModel model;
    private final ModelInfo info;
    private final Tokenizer tokenizer;
    private final Abilities abilities;
    private final Path path;
    private final Device device;
    private final ContextOptions defaults;
    private final List<WeakReference<Context>> contexts = new ArrayList<>(); // guarded by this, as below
    private final List<WeakReference<Adapter>> adapters = new ArrayList<>();
    private final Cleaner.Cleanable release;
    private @Nullable ChatFormat format;
    private @Nullable Grammars grammars;
    private @Nullable Context context;
    private boolean closed;

    private Model(Path path, NativeModel model, Device device, ContextOptions defaults) {
        this.path = path;
        this.device = device;
        this.model = model;
        this.defaults = defaults;
        this.info = new ModelInfo(Failures.mapped(model::info));
        this.tokenizer = new Tokenizer(model.tokenizer());
        this.abilities = new Abilities(model, info, this::format);
        Throwable opened = new Throwable("model " + path);
        this.release = CLEANER.register(this, () -> forgotten(model, opened));
    }

    /** What is done about a model that nobody holds any more; its contexts went with it and let go by themselves. */
    private static void forgotten(NativeModel model, Throwable opened) {
        if (!model.isClosed()) {
            LOG.warn("a model was never closed; it was opened here:", opened);
            model.close();
        }
    }

    /**
     * Loads a model, fetching it first if it is not on this machine.
     *
     * @param reference a name of the catalogue, {@code owner/repo[@rev][:quant or file]}, an address, {@code
     *     classpath:} and a resource, or a path: see {@link ModelReference}
     * @return the model, to be closed
     */
    public static Model load(String reference) {
        return builder(reference).load();
    }

    /**
     * Loads a file.
     *
     * @param file a GGUF file
     * @return the model, to be closed
     */
    public static Model load(Path file) {
        return builder(file).load();
    }

    /**
     * Prepares to load a model.
     *
     * @param reference as for {@link #load(String)}
     * @return a builder
     */
    public static Builder builder(String reference) {
        return new Builder(ModelReference.parse(reference));
    }

    /**
     * Prepares to load a file.
     *
     * @param file a GGUF file
     * @return a builder
     */
    public static Builder builder(Path file) {
        return new Builder(ModelReference.of(file));
    }

    /** How a model is loaded. One thread. */
    public static final class Builder {
        private final ModelReference reference;
        private @Nullable ModelStore store;
        private Consumer<? super LoadProgress> listener = progress -> {};
        private final ContextOptions defaults = new ContextOptions();
        private @Nullable Device device;

        private Builder(ModelReference reference) {
            this.reference = reference;
        }

        /**
         * Says where models are kept.
         *
         * @param value the user's standard store unless set
         * @return this
         */
        public Builder store(ModelStore value) {
            store = value;
            return this;
        }

        /**
         * Chooses what the model computes on.
         *
         * @param value {@link Device#best()} unless set
         * @return this
         */
        public Builder device(Device value) {
            device = Objects.requireNonNull(value, "device");
            return this;
        }

        /**
         * Listens to how far it is, on the thread that calls {@link #load()}, about ten times a second.
         *
         * @param value what it throws ends the loading
         * @return this
         */
        public Builder onProgress(Consumer<? super LoadProgress> value) {
            listener = value;
            return this;
        }

        /**
         * Sets up the context that the model generates with.
         *
         * @param options sets what is wanted
         * @return this
         */
        public Builder defaultContext(Consumer<ContextOptions> options) {
            options.accept(defaults);
            return this;
        }

        /**
         * What the model would need, from its metadata: nothing is loaded, but the file is fetched if it is not here.
         *
         * @return the plan
         */
        public MemoryPlan plan() {
            Core.load();
            Path file = fetch();
            return Failures.mapped(() -> {
                try (NativeFile opened = NativeFile.open(file)) {
                    return new MemoryPlan(
                            Platform.call("plan", () -> NativeMemoryPlan.of(opened, defaults.toNative()), () -> {}));
                }
            });
        }

        /**
         * Loads the model. Interrupting the thread cancels it.
         *
         * @return the model, to be closed
         * @throws ModelNotFoundException if there is no such model
         * @throws DownloadException if it could not be fetched
         * @throws InvalidModelException if the file is damaged or no model
         * @throws UnsupportedModelException if it can't be run
         * @throws InsufficientMemoryException if memory is short
         */
        public Model load() {
            Core.load();
            Path file = fetch();
            NativeModel loaded = Loader.load(
                    file,
                    (done, total) -> listener.accept(new LoadProgress(LoadProgress.Stage.LOADING, "", done, total)));
            return new Model(file, loaded, device == null ? Device.best() : device, new ContextOptions(defaults));
        }

        private Path fetch() {
            ModelStore from = store == null ? ModelStore.standard() : store;
            return from.fetch(
                    reference,
                    progress -> listener.accept(new LoadProgress(
                            LoadProgress.Stage.FETCHING, progress.detail(), progress.done(), progress.total())));
        }
    }

    /** {@return the model's properties} */
    public ModelInfo info() {
        return info;
    }

    /** {@return the model's file} */
    public Path path() {
        return path;
    }

    /** {@return what it computes on} */
    public Device device() {
        return device;
    }

    /** {@return text to ids and back} */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** {@return what the model can do} */
    public Set<Capability> capabilities() {
        return abilities.all();
    }

    /**
     * Makes a context of its own memory and threads.
     *
     * @param options sets what is wanted
     * @return a new context, to be closed
     */
    public Context newContext(Consumer<ContextOptions> options) {
        ContextOptions wanted = new ContextOptions();
        options.accept(wanted);
        return make(wanted, new Throwable("context"));
    }

    /**
     * Loads an adapter, which requests may then use: {@link Request#adapter(Adapter, float)}.
     *
     * @param path a GGUF file as llama.cpp has them, or a folder that PEFT saved ({@code adapter_config.json} and
     *     {@code adapter_model.safetensors})
     * @return the adapter, to be closed; the model's closing closes it
     * @throws ModelNotFoundException if there is no such file
     * @throws IllegalArgumentException if the adapter is for another model
     * @throws InvalidModelException if it is damaged
     * @throws UnsupportedModelException if it is another kind of adapter, or changes what can't be changed here
     * @throws InsufficientMemoryException if memory is short
     */
    public Adapter adapter(Path path) {
        Objects.requireNonNull(path, "path");
        synchronized (this) {
            refuseClosed();
        }
        Adapter loaded = new Adapter(this, Failures.mapped(() -> AdapterLoader.load(model, path)));
        synchronized (this) {
            if (!closed) {
                adapters.removeIf(reference -> reference.get() == null);
                adapters.add(new WeakReference<>(loaded));
                return loaded;
            }
        }
        loaded.close();
        throw new ClosedException("the model is closed");
    }

    private Context make(ContextOptions options, @Nullable Throwable opened) {
        synchronized (this) {
            refuseClosed();
        }
        Context made = new Context(this, options, opened);
        synchronized (this) {
            if (!closed) {
                contexts.removeIf(reference -> reference.get() == null);
                contexts.add(new WeakReference<>(made));
                return made;
            }
        }
        made.close();
        throw new ClosedException("the model is closed");
    }

    private void refuseClosed() {
        if (closed) {
            throw new ClosedException("the model is closed");
        }
    }

    /** The context that the model itself generates with; made once, while others that want it wait. */
    private Context context() {
        synchronized (defaults) {
            Context made;
            synchronized (this) {
                refuseClosed();
                made = context;
            }
            if (made == null) {
                made = make(defaults, null);
                synchronized (this) {
                    context = made;
                }
            }
            return made;
        }
    }

    /**
     * What the default context is doing.
     *
     * @return a snapshot
     */
    public Context.Status status() {
        return context().status();
    }

    @Override
    public Statistics statistics() {
        Context known;
        synchronized (this) {
            known = context;
        }
        return (known != null ? known : context()).statistics();
    }

    @Override
    public Observer.Registration observe(Observer observer) {
        return context().observe(observer);
    }

    @Override
    public Profiler profile() {
        return context().profile();
    }

    @Override
    public Prompt prompt(String text) {
        return context().prompt(text);
    }

    @Override
    public Prompt prompt(int[] ids) {
        return context().prompt(ids);
    }

    @Override
    public ChatRequest chat(List<? extends Message> messages) {
        return context().chat(messages);
    }

    @Override
    public Embedding embed(List<String> texts) {
        return context().embed(texts);
    }

    @Override
    public Ranking rerank(String query, List<String> documents) {
        return context().rerank(query, documents);
    }

    @Override
    public Classification classify(String text) {
        return context().classify(text);
    }

    @Override
    public FillMask fillMask(String text) {
        return context().fillMask(text);
    }

    @Override
    public TextToText translate(String text, Locale from, Locale to) {
        return context().translate(text, from, to);
    }

    @Override
    public TextToText summarize(String text) {
        return context().summarize(text);
    }

    @Override
    public Score score(String text) {
        return context().score(text);
    }

    @Override
    public Chat newChat(Consumer<Chat.Options> options) {
        return context().newChat(options);
    }

    @Override
    public Chat restoreChat(Path file) {
        return context().restoreChat(file);
    }

    @Override
    public Chat restoreChat(byte[] saved) {
        return context().restoreChat(saved);
    }

    /**
     * Closes its contexts, which ends what runs, and its adapters, and frees the weights. Without effect the second
     * time.
     */
    @Override
    public void close() {
        List<WeakReference<Context>> open;
        List<WeakReference<Adapter>> loaded;
        Grammars compiled;
        synchronized (this) {
            closed = true;
            open = List.copyOf(contexts);
            loaded = List.copyOf(adapters);
            compiled = grammars;
        }
        for (WeakReference<Context> reference : open) {
            Context living = reference.get();
            if (living != null) {
                living.close();
            }
        }
        for (WeakReference<Adapter> reference : loaded) {
            Adapter living = reference.get();
            if (living != null) {
                living.close();
            }
        }
        if (compiled != null) {
            compiled.close();
        }
        model.close();
        release.clean();
    }

    /** {@return whether it was closed} */
    public synchronized boolean isClosed() {
        return closed;
    }

    /**
     * The labels of a classifier, as its file names them.
     *
     * @return in the model's order; empty if it has no classifier
     */
    public List<String> labels() {
        return abilities.labels();
    }

    /** What it can do, and what it refuses. */
    Abilities abilities() {
        return abilities;
    }

    NativeModel nativeModel() {
        return model;
    }

    synchronized Grammars grammars() {
        refuseClosed();
        Grammars known = grammars;
        if (known == null) {
            known = new Grammars(model.tokenizer());
            grammars = known;
        }
        return known;
    }

    synchronized ChatFormat format() {
        ChatFormat known = format;
        if (known == null) {
            known = Failures.mapped(() -> ChatFormat.of(model.file(), model.tokenizer()));
            format = known;
        }
        return known;
    }

    @Override
    public String toString() {
        return info + " (" + path.getFileName() + ")";
    }
}
