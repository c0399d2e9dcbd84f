// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeEvent;
import dev.puna.internal.engine.EngineThread;
import dev.puna.internal.engine.Generation;
import dev.puna.internal.engine.Outcome;
import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * A running generation.
 *
 * <pre>{@code
 * try (TextStream stream = model.prompt("Once upon a time").stream()) {
 *     for (Piece piece : stream) {
 *         System.out.print(piece);
 *     }
 * }
 * }</pre>
 *
 * One reader; {@link #cancel} and {@link #close} may come from any thread. A stream that is forgotten is cancelled.
 */
public final class TextStream implements Iterable<Piece>, AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Context context; // keeps the model reachable while this is
    private final EngineThread engine;
    private final Generation generation;
    private final long seed;
    private final Request.Settler settler;
    private final Object settling = new Object();
    private boolean iterated;
    private @Nullable Reply reply; // guarded by settling

    private TextStream(Context context, Generation generation, long seed, Request.Settler settler) {
        this.context = context;
        this.engine = context.engine();
        this.generation = generation;
        this.seed = seed;
        this.settler = settler;
        CLEANER.register(this, new Forgotten(engine, generation));
    }

    /** What is done about a stream that nobody holds any more. */
    private record Forgotten(EngineThread engine, Generation generation) implements Runnable {
        @Override
        public void run() {
            if (!generation.isDone()) {
                engine.cancel(generation);
            }
        }
    }

    /** Submits the generation and waits until the engine has taken it in. */
    static TextStream start(Context context, Generation generation, long seed, Request.Settler settler) {
        TextStream stream = new TextStream(context, generation, seed, settler);
        stream.engine.submit(generation);
        try {
            generation.awaitAccepted();
        } catch (InterruptedException e) {
            throw stream.interrupted();
        }
        return stream;
    }

    /**
     * The pieces, as they come.
     *
     * @return an iterator that waits; its end is the generation's. Only one is handed out
     */
    @Override
    public Iterator<Piece> iterator() {
        if (iterated) {
            throw new IllegalStateException("the stream was read already: its pieces can be iterated over once");
        }
        iterated = true;
        return new Pieces();
    }

    private final class Pieces implements Iterator<Piece> {
        private Generation.@Nullable Chunk next;
        private boolean ended;

        @Override
        public boolean hasNext() {
            if (next == null && !ended) {
                try {
                    next = generation.next();
                } catch (InterruptedException e) {
                    throw interrupted();
                }
                ended = next == null;
                if (ended) {
                    settle();
                }
            }
            return next != null;
        }

        @Override
        public Piece next() {
            if (!hasNext() || next == null) {
                throw new NoSuchElementException("the generation is over");
            }
            Generation.Chunk chunk = next;
            next = null;
            return new Piece(chunk.text(), chunk.tokens());
        }
    }

    /**
     * Waits for the end.
     *
     * @return the whole reply, whether the pieces were read or not
     * @throws GenerationInterruptedException if the thread is interrupted; the generation is cancelled
     */
    public Reply reply() {
        try {
            generation.await();
        } catch (InterruptedException e) {
            throw interrupted();
        }
        return settle();
    }

    /** Ends the generation soon, with {@link StopReason#CANCELLED}; without effect when it has ended. */
    public void cancel() {
        if (!generation.isDone()) {
            engine.cancel(generation);
        }
    }

    /** {@return whether the generation has ended} */
    public boolean isDone() {
        return generation.isDone();
    }

    /** Cancels the generation unless it has ended. */
    @Override
    public void close() {
        cancel();
    }

    void whenDone(Runnable listener) {
        generation.whenDone(listener);
    }

    /** Makes the reply, once, and lets the books be kept; the generation has ended. */
    Reply settle() {
        Outcome outcome = generation.outcome();
        synchronized (settling) {
            if (reply == null) {
                reply = reply(outcome, seed);
                settler.settled(reply);
            }
            return reply;
        }
    }

    /** Cancels, waits for the end (a step at most) and says so, with what there is. */
    private GenerationInterruptedException interrupted() {
        engine.cancel(generation);
        Reply partial = null;
        while (!generation.isDone()) {
            try {
                generation.await();
            } catch (InterruptedException again) {
                continue; // the flag is set below
            } catch (RuntimeException failed) {
                break;
            }
        }
        try {
            partial = settle();
        } catch (RuntimeException failed) {
            partial = null; // it failed rather than ended: there is nothing to hand out
        }
        Thread.currentThread().interrupt();
        return new GenerationInterruptedException(partial);
    }

    private static Reply reply(Outcome o, long seed) {
        Usage usage = new Usage(o.promptTokens(), o.cachedTokens(), o.tokens().length);
        Timings timings = new Timings(
                Duration.ofNanos(o.queuedNanos()), Duration.ofNanos(o.promptNanos()), Duration.ofNanos(o.generateNanos()), usage);
        return new Reply(o.text(), o.tokens(), stopReason(o), seed, usage, timings, logprobs(o));
    }

    private static StopReason stopReason(Outcome o) {
        return switch (o.stop()) {
            case END -> StopReason.END;
            case LENGTH -> StopReason.LENGTH;
            case CONTEXT -> StopReason.CONTEXT;
            case TEXT -> StopReason.STOP;
            case CANCELLED, FAILED -> o.timedOut() ? StopReason.TIMEOUT : StopReason.CANCELLED;
        };
    }

    private static List<TokenLogprob> logprobs(Outcome o) {
        List<TokenLogprob> all = new ArrayList<>();
        for (NativeEvent.Token token : o.events()) {
            List<TokenLogprob.Candidate> top = new ArrayList<>();
            for (int i = 0; i < token.topIds().length; i++) {
                top.add(new TokenLogprob.Candidate(token.topIds()[i], token.topLogprobs()[i]));
            }
            all.add(new TokenLogprob(token.token(), token.logprob(), top));
        }
        return all;
    }

    @Override
    public String toString() {
        return "generation on " + context;
    }
}
