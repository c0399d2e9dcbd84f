// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeGeneration;
import dev.puna.internal.engine.Generation;
import dev.puna.internal.engine.Slot;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A request for a generation: options, then one terminal. The generation starts at the terminal. A request serves one
 * thread and may be used for several terminals, each a generation of its own.
 *
 * @param <T> the request's own type
 */
public abstract sealed class Request<T extends Request<T>> permits Prompt, ChatRequest, Chat.Turn {
    private static final Sampler DEFAULT =
            Sampler.of(Sampler.topK(40), Sampler.topP(.95f), Sampler.minP(.05f), Sampler.temperature(.8f));
    private static final Duration FOREVER = Duration.ofDays(10_000);

    private final Context context;
    private int maxTokens;
    private Sampler sampler = DEFAULT;
    private List<String> stops = List.of();
    private @Nullable Duration timeout;
    private boolean logprobs;
    private int topLogprobs;
    private boolean ignoreEnd;

    Request(Context context) {
        this.context = context;
    }

    /**
     * Bounds the answer.
     *
     * @param tokens at least 1
     * @return this
     */
    public T maxTokens(int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("maxTokens is " + tokens + "; it must be at least 1");
        }
        maxTokens = tokens;
        return self();
    }

    /**
     * Says how tokens are chosen. Unless set: top-k 40, top-p 0.95, min-p 0.05, temperature 0.8.
     *
     * @param value the sampler
     * @return this
     */
    public T sampler(Sampler value) {
        sampler = value;
        return self();
    }

    /**
     * Ends the generation where its text contains one of these; the stop itself is not part of the text.
     *
     * @param texts at most 64, none empty
     * @return this
     */
    public T stop(String... texts) {
        if (texts.length > 64) {
            throw new IllegalArgumentException(texts.length + " stop strings; at most 64 are possible");
        }
        for (String text : texts) {
            if (text.isEmpty()) {
                throw new IllegalArgumentException("a stop string is empty");
            }
        }
        stops = List.of(texts);
        return self();
    }

    /**
     * Bounds the time from the terminal on; what was generated until then is the answer, with {@link
     * StopReason#TIMEOUT}.
     *
     * @param value more than nothing
     * @return this
     */
    public T timeout(Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException("timeout is " + value + "; it must be more than nothing");
        }
        timeout = value;
        return self();
    }

    /**
     * Asks for log-probabilities: of each chosen token and of the most probable ones.
     *
     * @param top how many of the most probable, 0 to 64
     * @return this
     */
    public T logprobs(int top) {
        if (top < 0 || top > 64) {
            throw new IllegalArgumentException("logprobs is " + top + "; it may be 0 to 64");
        }
        logprobs = true;
        topLogprobs = top;
        return self();
    }

    /**
     * Goes on where the model would end its answer, until another bound is reached.
     *
     * @return this
     */
    public T ignoreEnd() {
        ignoreEnd = true;
        return self();
    }

    /**
     * Generates, and waits for the whole text.
     *
     * @return the text
     * @throws GenerationInterruptedException if the thread is interrupted; the generation is cancelled
     */
    public String text() {
        return reply().text();
    }

    /**
     * Generates, and waits for the end.
     *
     * @return text, tokens and figures
     * @throws GenerationInterruptedException if the thread is interrupted; the generation is cancelled
     */
    public Reply reply() {
        try (TextStream stream = stream()) {
            return stream.reply();
        }
    }

    /**
     * Generates, and hands out the text as it comes.
     *
     * @return the running generation, to be closed
     */
    public TextStream stream() {
        long begun = System.nanoTime();
        Work work = work();
        long seed = sampler.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong());
        NativeGeneration settings =
                new NativeGeneration(
                        maxTokens,
                        seed,
                        sampler.stages(),
                        stops,
                        logprobs,
                        topLogprobs,
                        ignoreEnd,
                        sampler.biases(),
                        sampler.breakers());
        Generation generation = new Generation(work.ids(), settings, work.slot(), deadline(begun));
        try {
            Settlement settlement = new Settlement(generation, seed, work.books());
            TextStream stream = TextStream.start(context, generation, settlement);
            work.books().started(settlement);
            return stream;
        } catch (RuntimeException e) {
            work.books().failed();
            throw e;
        }
    }

    private long deadline(long begun) {
        if (timeout == null || timeout.compareTo(FOREVER) > 0) {
            return Long.MAX_VALUE;
        }
        return begun + timeout.toNanos();
    }

    /**
     * Generates, and lets the caller go on.
     *
     * @return completes with the reply on a thread of its own; {@code cancel(true)} stops the generation
     */
    public CompletableFuture<Reply> async() {
        return new ReplyFuture(stream());
    }

    /** What is to be computed, and where. */
    abstract Work work();

    @SuppressWarnings("unchecked")
    private T self() {
        return (T) this;
    }

    /**
     * A generation's input.
     *
     * @param ids the whole of the sequence's tokens
     * @param slot its sequence
     * @param books who is told how it goes
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Work(int[] ids, Slot slot, Books books) {}

    /** Who keeps books about a generation: a chat. */
    interface Books {
        /** Those of a request that nobody remembers. */
        Books NONE = new Books() {};

        /** The generation runs. */
        default void started(Settlement settlement) {}

        /** It ended with a reply, whole or partial; told before the caller gets it, perhaps more than once. */
        default void settled(Reply reply) {}

        /** It did not begin, or failed; perhaps told after {@link #settled}, which then counts. */
        default void failed() {}
    }

    /** A future whose cancellation reaches the engine; keeps the stream, and so the model, reachable. */
    private static final class ReplyFuture extends CompletableFuture<Reply> {
        private final TextStream stream;

        ReplyFuture(TextStream stream) {
            this.stream = stream;
            stream.whenDone(() -> {
                try {
                    complete(stream.reply());
                } catch (RuntimeException e) {
                    completeExceptionally(e);
                }
            });
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            stream.cancel();
            return cancelled;
        }
    }
}
