// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeEngineInfo;
import dev.puna.bindings.NativeEngineOptions;
import dev.puna.internal.ChatFile;
import dev.puna.internal.ChatFormat;
import dev.puna.internal.Failures;
import dev.puna.internal.Platform;
import dev.puna.internal.engine.EngineThread;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An engine on a model: memory for keys and values, threads, and sequences that run together. Several contexts share
 * one model's weights.
 *
 * <pre>{@code
 * try (Context context = model.newContext(options -> options.maxSequences(64).threads(8))) {
 *     System.out.println(context.prompt("Once upon a time").maxTokens(32).text());
 * }
 * }</pre>
 *
 * Any thread, virtual ones too: callers park, one platform thread computes. Closing ends what runs with
 * {@link ClosedException}.
 */
public final class Context implements Generator, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Context.class);
    private static final Cleaner CLEANER = Cleaner.create();
    private static final int MOST_FLOATS = Integer.MAX_VALUE - 8;
    private static final int SCORED_FLOATS = 1 << 24;

    private final Model model; // keeps it reachable
    private final EngineThread engine;
    private final Provenance provenance;

    /** @param opened where the user made it; null for the one that the model made by itself */
    Context(Model model, ContextOptions options, @Nullable Throwable opened) {
        this.model = model;
        NativeEngineOptions wanted = options.toNative();
        NativeEngine created = Failures.mapped(
                () -> Platform.call("create", () -> NativeEngine.create(model.nativeModel(), wanted), () -> {}));
        this.provenance = new Provenance(
                model.info(),
                model.path().toString(),
                Failures.mapped(() -> created.info().contextLength()),
                options.cacheType());
        this.engine = EngineThread.drive(created);
        CLEANER.register(this, new Forgotten(engine, opened));
    }

    /** What is done about a context that nobody holds any more. */
    private record Forgotten(EngineThread engine, @Nullable Throwable opened) implements Runnable {
        @Override
        public void run() {
            if (!engine.isClosed()) {
                if (opened != null) {
                    LOG.warn("a context was never closed; it was opened here:", opened);
                }
                engine.abandon();
            }
        }
    }

    /** What a context is doing. Immutable. */
    public static final class Status {
        private final NativeEngineInfo info;

        Status(NativeEngineInfo info) {
            this.info = info;
        }

        /** {@return positions of one sequence} */
        public int contextLength() {
            return info.contextLength();
        }

        /** {@return threads that compute} */
        public int threads() {
            return info.threads();
        }

        /** {@return requests in the batch; a search counts once, however many beams it has} */
        public int running() {
            return info.running();
        }

        /** {@return requests in the queue} */
        public int waiting() {
            return info.waiting();
        }

        /** {@return sequences whose generation is held back: their reader lags, or their logits hook takes long} */
        public int paused() {
            return info.paused();
        }

        /** {@return sequences that are open: running, waiting, paused, and chats between their turns} */
        public int sequences() {
            return info.sequences();
        }

        /** {@return pages of the cache in use} */
        public long pagesUsed() {
            return info.pagesUsed();
        }

        /** {@return pages that the budget allows} */
        public long pagesTotal() {
            return info.pagesTotal();
        }

        /** {@return bytes of one page, 64 positions} */
        public long pageBytes() {
            return info.pageBytes();
        }

        /** {@return memory of the context now, in bytes} */
        public long memoryBytes() {
            return info.memoryBytes();
        }

        /** {@return rounds since the context was made} */
        public long steps() {
            return info.steps();
        }
    }

    /** {@return the model whose weights this uses} */
    public Model model() {
        return model;
    }

    /**
     * What the context is doing now; waits for the running step to end.
     *
     * @return a snapshot
     */
    public Status status() {
        return new Status(engine.info());
    }

    @Override
    public Statistics statistics() {
        return new Statistics(Failures.mapped(engine::figures));
    }

    @Override
    public Observer.Registration observe(Observer observer) {
        return Observation.begin(Objects.requireNonNull(observer, "observer"), engine);
    }

    @Override
    public Profiler profile() {
        return new Profiler(this);
    }

    @Override
    public Prompt prompt(String text) {
        return new Prompt(this, text);
    }

    @Override
    public Prompt prompt(int[] ids) {
        return new Prompt(this, ids);
    }

    @Override
    public ChatRequest chat(List<? extends Message> messages) {
        model.abilities().refuseConversation();
        return new ChatRequest(this, messages);
    }

    @Override
    public Score score(String text) {
        return prompt(text).score();
    }

    /** How probable the model finds tokens, with adapters. */
    Score score(int[] ids, List<NativeAdapter.Use> adapters) {
        int last = ids.length - 1;
        double sum = 0;
        int rows = Math.max(1, SCORED_FLOATS / model.info().vocabulary()); // a slice, so that memory stays bounded
        for (int first = 0; first < last; first += rows) {
            int end = Math.min(last, first + rows);
            float[] logits = logits(Arrays.copyOf(ids, end), first, adapters);
            for (int i = first; i < end; i++) {
                sum += logProbability(logits, (i - first) * model.info().vocabulary(), ids[i + 1]);
            }
        }
        return new Score(sum, last);
    }

    @Override
    public Embedding embed(List<String> texts) {
        return new Embedding(this, texts);
    }

    @Override
    public Ranking rerank(String query, List<String> documents) {
        return new Ranking(this, query, documents);
    }

    @Override
    public Classification classify(String text) {
        return new Classification(this, text);
    }

    @Override
    public FillMask fillMask(String text) {
        return new FillMask(this, text);
    }

    @Override
    public TextToText translate(String text, Locale from, Locale to) {
        model.abilities().refuseUnless(Capability.TEXT_TO_TEXT, "translate");
        return new TextToText(this, Tasks.translation(model, from, to), text);
    }

    @Override
    public TextToText summarize(String text) {
        model.abilities().refuseUnless(Capability.TEXT_TO_TEXT, "summarize");
        return new TextToText(this, Tasks.summary(model), text);
    }

    private double logProbability(float[] logits, int from, int id) {
        int end = from + model.info().vocabulary();
        float best = logits[from];
        for (int i = from; i < end; i++) {
            best = Math.max(best, logits[i]);
        }
        double sum = 0;
        for (int i = from; i < end; i++) {
            sum += Math.exp(logits[i] - best);
        }
        return logits[from + id] - best - Math.log(sum);
    }

    @Override
    public Chat newChat(Consumer<Chat.Options> options) {
        model.abilities().refuseConversation();
        Chat.Options wanted = new Chat.Options();
        options.accept(wanted);
        return new Chat(this, wanted);
    }

    @Override
    public Chat restoreChat(Path file) {
        model.abilities().refuseConversation();
        return SavedChat.restore(this, file.toString(), () -> ChatFile.read(file));
    }

    @Override
    public Chat restoreChat(byte[] saved) {
        model.abilities().refuseConversation();
        return SavedChat.restore(this, "the array", () -> ChatFile.read(saved));
    }

    /**
     * The logits after each token, from an empty cache; waits until nothing else computes, but not for streams that are
     * paused since nobody reads them. For experts: a row is as long as the vocabulary.
     *
     * @param ids at least one, at most the context length
     * @param first the first row wanted; row i is what the model says after ids 0 to i
     * @return rows first to the last, one after the other
     * @see Prompt#logitsFrom(int)
     */
    public float[] logits(int[] ids, int first) {
        return logits(ids, first, List.of());
    }

    /** With adapters. */
    float[] logits(int[] ids, int first, List<NativeAdapter.Use> adapters) {
        if (first < 0 || first >= ids.length) {
            throw new IllegalArgumentException("first is " + first + " of " + ids.length + " tokens");
        }
        long floats = (long) (ids.length - first) * model.info().vocabulary();
        if (floats > MOST_FLOATS) {
            throw new IllegalArgumentException("first is " + first + " of " + ids.length + " tokens: " + floats
                    + " numbers are more than one array holds (" + MOST_FLOATS + "); ask for fewer rows at a time");
        }
        return engine.wholeTexts().logits(ids, first, model.info().vocabulary(), adapters);
    }

    /**
     * Gives back the memory of all pages that no running request needs: those of chats between their turns, of waiting
     * and paused ones, and what is kept for prompts that begin alike. They are computed again when they are needed, to
     * the same bits. Waits for a running step to end.
     */
    public void trim() {
        engine.trim();
    }

    /** Ends what runs and gives the memory back; waits for a running step to end. Without effect the second time. */
    @Override
    public void close() {
        engine.close();
    }

    /** {@return whether it was closed} */
    public boolean isClosed() {
        return engine.isClosed();
    }

    /** Positions of one sequence. */
    int length() {
        return provenance.contextLength();
    }

    Provenance provenance() {
        return provenance;
    }

    EngineThread engine() {
        return engine;
    }

    Tokenizer tokenizer() {
        return model.tokenizer();
    }

    ChatFormat format() {
        return model.format();
    }

    @Override
    public String toString() {
        return "context of " + model;
    }
}
