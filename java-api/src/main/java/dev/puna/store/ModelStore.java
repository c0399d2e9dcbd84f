// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import dev.puna.PunaException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The models on this machine, and the way for others to come here.
 *
 * <pre>{@code
 * ModelStore store = ModelStore.standard();
 * ModelReference reference = ModelReference.parse("smollm2");
 * System.out.println(store.describe(reference));
 * Path file = store.fetch(reference, progress -> System.err.println(progress));
 * }</pre>
 *
 * A fetched file is whole and verified: it grows under another name, its SHA-256 is compared whenever one is known
 * (from the catalogue or the hub), and only then it is renamed. One thread of one process fetches a model, all others
 * wait for its result. What an interrupted or killed fetch left is continued by the next one, and deleted by {@link
 * #remove} or after 14 days. A fetched reference stays what it was until it is removed, even when its repository goes
 * on.
 *
 * <p>A file that is split in parts ({@code -00001-of-00003.gguf}) is one model: any part's reference means all of them,
 * each is checked, they lie in a folder of their own, and the path is the first part's, which loads all.
 *
 * <p>Models of other tools are used where they lie, never changed or removed; such a file is read once to compute its
 * checksum, which is compared where the tool knows it. Those are the caches of the Hugging Face tools (HF_HOME,
 * HF_HUB_CACHE) and of llama.cpp (LLAMA_CACHE), Ollama (OLLAMA_MODELS), LM Studio, GPT4All and Jan (JAN_DATA_FOLDER).
 *
 * <p>Interrupting a caller ends what it does here. Immutable; any thread may use it; nothing to close. The failures are
 * {@link ModelNotFoundException} and {@link DownloadException}.
 */
public final class ModelStore {
    private final Settings settings;
    private final StoreIndex index;
    private final Fetch fetch;

    private ModelStore(Settings settings) {
        this.settings = settings;
        this.index = new StoreIndex(settings.folder());
        this.fetch = new Fetch(settings, index);
    }

    /**
     * This user's store: {@code models} in the folder that the variable PUNA_HOME names; without it in {@code puna}
     * under XDG_DATA_HOME (by default ~/.local/share), ~/Library/Application Support on macOS, or %LOCALAPPDATA% on
     * Windows.
     *
     * @return the store; its folder is made by the first fetch
     * @throws IllegalArgumentException if the variable HF_ENDPOINT holds no address
     */
    public static ModelStore standard() {
        return builder().build();
    }

    /**
     * A store in a folder of the caller's choice.
     *
     * @param folder need not exist
     * @return the store
     * @throws IllegalArgumentException if the variable HF_ENDPOINT holds no address
     */
    public static ModelStore at(Path folder) {
        return builder().folder(folder).build();
    }

    /**
     * A store with settings of its own.
     *
     * @return a builder that begins with the environment's settings
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Where this store keeps its models.
     *
     * @return an absolute path, which need not exist yet
     */
    public Path folder() {
        return settings.folder();
    }

    /**
     * Finds a model on this machine; uses no network.
     *
     * @param reference which model
     * @return its file, or empty when it has to be fetched
     * @throws ModelNotFoundException if the catalogue does not have the name
     */
    public Optional<Path> resolve(ModelReference reference) {
        if (reference instanceof ModelReference.LocalFile file) {
            return Files.isRegularFile(file.path()) ? Optional.of(file.path()) : Optional.empty();
        }
        try {
            return fetch.present(reference, new ProgressMeter(reference, null));
        } catch (IOException e) {
            throw Interrupts.sentence(reference); // all other failures mean that it is not there
        }
    }

    /**
     * Finds a model on this machine, or brings it here; tells the builder's listener.
     *
     * @param reference which model
     * @return its file
     * @throws ModelNotFoundException if no source has such a model
     * @throws DownloadException if it could not be brought here, or the caller was interrupted
     */
    public Path fetch(ModelReference reference) {
        return fetch.fetch(reference, settings.listener());
    }

    /**
     * Finds a model on this machine, or brings it here.
     *
     * @param reference which model
     * @param listener told how far it is, on this thread
     * @return its file
     * @throws ModelNotFoundException if no source has such a model
     * @throws DownloadException if it could not be brought here, or the caller was interrupted
     */
    public Path fetch(ModelReference reference, Consumer<? super FetchProgress> listener) {
        return fetch.fetch(reference, Objects.requireNonNull(listener, "listener"));
    }

    /**
     * What is in the store: fetched models, and those of other tools' caches that were used.
     *
     * @return the models whose files are there, by name
     */
    public List<StoredModel> list() {
        return index.list();
    }

    /**
     * What other tools have brought to this machine: their caches are looked through, nothing is read in full.
     *
     * @return models that can be used where they lie, tool by tool; of split files each piece
     */
    public List<ForeignModel> foreign() {
        return fetch.foreign();
    }

    /**
     * The names of the catalogue.
     *
     * @return references that {@link #describe} knows more about, in the catalogue's order
     */
    public List<ModelReference> catalogue() {
        return settings.catalogue().entries().stream()
                .<ModelReference>map(e -> new ModelReference.Named(e.name()))
                .toList();
    }

    /**
     * Forgets a model, deletes its file unless another reference shares it, and deletes what an interrupted fetch left.
     * Files outside the store stay.
     *
     * @param reference which model
     * @return whether there was anything to remove
     * @throws PunaException if it is being fetched right now, or the store cannot be written
     */
    public boolean remove(ModelReference reference) {
        if (reference instanceof ModelReference.LocalFile || !Files.isDirectory(settings.folder())) {
            return false;
        }
        try {
            index.prepare();
            try (StoreLock lock = StoreLock.tryTake(index.lockFile(reference))) {
                if (lock == null) {
                    throw new PunaException(reference + " is being fetched right now; end that, or wait for it");
                }
                return index.remove(reference);
            }
        } catch (IOException e) {
            throw new PunaException(
                    reference + " cannot be removed from " + settings.folder() + ": " + Reasons.of(e), e);
        }
    }

    /**
     * What can be said of a model before it is fetched. Asks the hub only for a model that is neither here nor
     * described by the catalogue.
     *
     * @param reference which model
     * @return its size, source, place and whether it is here
     * @throws ModelNotFoundException if no source has such a model
     * @throws DownloadException if the hub had to be asked and could not be
     */
    public ModelDescription describe(ModelReference reference) {
        long free = settings.freeBytes().applyAsLong(settings.folder());
        if (reference instanceof ModelReference.LocalFile file) {
            Path path = Fetch.local(file);
            return new ModelDescription(
                    reference, Optional.of(path), size(path), "", path.toString(), settings.folder(), free, 0);
        }
        Fetch.Wanted wanted = fetch.wanted(reference);
        Optional<Path> path = resolve(reference);
        if (path.isEmpty() && reference instanceof ModelReference.Cached cached) {
            throw fetch.absent(cached);
        }
        OptionalLong size = path.isPresent()
                ? size(path.get())
                : wanted.expected().size() >= 0
                        ? OptionalLong.of(wanted.expected().size())
                        : remoteSize(reference, wanted.sources().getFirst());
        String about = reference instanceof ModelReference.Named named
                ? settings.catalogue().get(named.name()).about()
                : "";
        String source = index.find(reference)
                .map(StoredModel::source)
                .orElse(wanted.sources().getFirst().toString());
        return new ModelDescription(
                reference, path, size, about, source, settings.folder(), free, index.received(reference));
    }

    private static OptionalLong size(Path path) {
        try {
            return OptionalLong.of(SplitName.size(path));
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    private OptionalLong remoteSize(ModelReference reference, ModelReference source) {
        if (source instanceof ModelReference.Resource resource) {
            return ResourceFetch.size(resource);
        }
        if (!HubClient.serves(source)) {
            return OptionalLong.empty();
        }
        if (settings.offline() != null) {
            throw new DownloadException(reference + " is not on this machine and " + settings.offline()
                    + " forbids to ask for it; unset it, or give the path of a file");
        }
        try (HubClient client = new HubClient(settings, source, settings.connectTimeout())) {
            return remoteSize(client, reference, source);
        }
    }

    private static OptionalLong remoteSize(HubClient client, ModelReference reference, ModelReference source) {
        try {
            List<HubClient.RemoteFile> files = client.locateAll(source, client.locate(source));
            return files.stream().allMatch(f -> f.size() >= 0)
                    ? OptionalLong.of(
                            files.stream().mapToLong(HubClient.RemoteFile::size).sum())
                    : OptionalLong.empty();
        } catch (IOException e) {
            if (Interrupts.caused(e)) {
                throw Interrupts.sentence(reference);
            }
            throw new DownloadException("cannot reach " + client.host() + " for " + source + ": " + Reasons.of(e), e);
        }
    }

    @Override
    public String toString() {
        return "ModelStore[" + settings.folder() + "]";
    }

    /** Builds a store; what is not set comes from the environment. Not thread-safe. */
    public static final class Builder {
        private Environment environment = Environment.ofProcess();
        private Catalogue catalogue = Catalogue.standard();
        private @Nullable Path folder;
        private @Nullable Boolean offline;
        private @Nullable URI endpoint;
        private @Nullable URI proxy;
        private @Nullable String token;
        private @Nullable List<String> pip;
        private @Nullable Consumer<? super FetchProgress> listener;
        private Duration connectTimeout = Duration.ofSeconds(10);
        private Duration answerTimeout = Duration.ofSeconds(30);
        private Duration stallTimeout = Duration.ofSeconds(60);
        private Duration retryDelay = Duration.ofSeconds(1);
        private ToLongFunction<Path> freeBytes = Room::free;

        private Builder() {}

        /**
         * Where models are kept.
         *
         * @param value need not exist
         * @return this
         */
        public Builder folder(Path value) {
            folder = value.toAbsolutePath();
            return this;
        }

        /**
         * Whether the network may be used; otherwise PUNA_OFFLINE and HF_HUB_OFFLINE say so.
         *
         * @param value true: only what is on this machine
         * @return this
         */
        public Builder offline(boolean value) {
            offline = value;
            return this;
        }

        /**
         * The HTTP proxy for every request and for pip; otherwise Java's properties (https.proxyHost) or the variables
         * https_proxy, http_proxy, all_proxy and no_proxy say so.
         *
         * @param value {@code http://[user:password@]host:port}
         * @return this
         * @throws IllegalArgumentException if it has another form
         */
        public Builder proxy(URI value) {
            proxy = Proxies.address("proxy", value.toString());
            return this;
        }

        /**
         * The hub, or a mirror of it; otherwise HF_ENDPOINT, or Hugging Face itself.
         *
         * @param value an http or https address
         * @return this
         * @throws IllegalArgumentException if it has another form
         */
        public Builder endpoint(URI value) {
            endpoint = checkedEndpoint("endpoint", value.toString());
            return this;
        }

        /**
         * The token for the hub; otherwise HF_TOKEN, HUGGING_FACE_HUB_TOKEN, or what the Hugging Face tools logged in
         * with. It is sent to the hub's own address alone, and never printed.
         *
         * @param value the token; empty for none
         * @return this
         */
        public Builder token(String value) {
            token = value.strip();
            return this;
        }

        /**
         * The command that starts pip; otherwise the first of {@code python3 -m pip}, {@code pip3}, {@code pip},
         * {@code py -3 -m pip} and {@code python -m pip} that answers.
         *
         * @param command program and arguments
         * @return this
         * @throws IllegalArgumentException if it is empty
         */
        public Builder pipCommand(String... command) {
            if (command.length == 0) {
                throw new IllegalArgumentException("command is empty");
            }
            pip = List.of(command);
            return this;
        }

        /**
         * The limit for connecting; 10 seconds, and 3 at most for a source of the catalogue that another stands behind.
         *
         * @param value above 0
         * @return this
         * @throws IllegalArgumentException if it is not above 0
         */
        public Builder connectTimeout(Duration value) {
            connectTimeout = positive("connectTimeout", value);
            return this;
        }

        /**
         * Who hears of fetches that have no listener of their own.
         *
         * @param value called on the thread that fetches
         * @return this
         */
        public Builder onProgress(Consumer<? super FetchProgress> value) {
            listener = value;
            return this;
        }

        Builder environment(Environment value) {
            environment = value;
            return this;
        }

        Builder catalogue(Catalogue value) {
            catalogue = value;
            return this;
        }

        Builder stallTimeout(Duration value) {
            stallTimeout = positive("stallTimeout", value);
            return this;
        }

        Builder answerTimeout(Duration value) {
            answerTimeout = positive("answerTimeout", value);
            return this;
        }

        Builder retryDelay(Duration value) {
            retryDelay = value;
            return this;
        }

        Builder freeBytes(ToLongFunction<Path> value) {
            freeBytes = value;
            return this;
        }

        /**
         * Makes the store; touches nothing yet.
         *
         * @return the store
         * @throws IllegalArgumentException if the variable HF_ENDPOINT holds no address
         */
        public ModelStore build() {
            String given = environment.get("HF_ENDPOINT");
            URI hub = endpoint != null
                    ? endpoint
                    : checkedEndpoint("HF_ENDPOINT", given != null ? given : "https://huggingface.co");
            return new ModelStore(new Settings(
                    folder != null ? folder : environment.modelFolder(),
                    environment,
                    catalogue,
                    offlineReason(),
                    hub,
                    token != null ? (token.isEmpty() ? null : token) : environmentToken(),
                    proxy,
                    Proxies.of(proxy, environment),
                    pip,
                    connectTimeout,
                    answerTimeout,
                    stallTimeout,
                    retryDelay,
                    freeBytes,
                    listener));
        }

        private @Nullable String offlineReason() {
            if (offline != null) {
                return offline ? "the offline mode" : null;
            }
            for (String name : List.of("PUNA_OFFLINE", "HF_HUB_OFFLINE")) {
                if (environment.isOn(name)) {
                    return name;
                }
            }
            return null;
        }

        private @Nullable String environmentToken() {
            String value = environment.get("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN");
            Path file = environment.hubTokenFile();
            if (value == null && Files.isRegularFile(file)) {
                try {
                    value = Files.size(file) <= 4096 ? Files.readString(file).strip() : null;
                } catch (IOException e) {
                    return null; // as for the Hugging Face tools: not logged in
                }
            }
            return value == null || !value.chars().allMatch(c -> c > ' ' && c < 0x7f) || value.isEmpty() ? null : value;
        }

        private static URI checkedEndpoint(String name, String text) {
            try {
                URI uri = URI.create(text);
                if (("https".equalsIgnoreCase(uri.getScheme()) || "http".equalsIgnoreCase(uri.getScheme()))
                        && uri.getHost() != null
                        && uri.getQuery() == null) {
                    return uri;
                }
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(name + " is no http or https address: '" + text + "'", e);
            }
            throw new IllegalArgumentException(name + " is no http or https address: '" + text + "'");
        }

        private static Duration positive(String name, Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException(name + " is " + value + " but has to be above 0");
            }
            return value;
        }
    }
}
