// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.EngineThread;
import dev.puna.internal.engine.Generation;
import dev.puna.internal.talk.Part;
import dev.puna.internal.talk.Splitter;
import java.lang.ref.Cleaner;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;

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
 *
 * <p>A reader who lags holds nobody up: beyond {@link #READ_AHEAD} unread pieces the generation pauses. It has no place
 * in the batch then, and others may take its memory; it goes on when half of these were read, to the same tokens as if
 * nothing had been. So a stream that is not read does not end by itself. {@link #reply()} reads all of it.
 */
public final class TextStream implements Iterable<Piece>, AutoCloseable {
    /** Unread pieces beyond which the generation pauses until the reader has read half of them. */
    public static final int READ_AHEAD = Generation.READ_AHEAD;

    private static final Cleaner CLEANER = Cleaner.create();

    private final Context context; // keeps the model reachable while this is
    private final EngineThread engine;
    private final Generation generation;
    private final Settlement settlement;
    private final Generation.Hook hook;
    private boolean iterated;

    private TextStream(Context context, Generation generation, Settlement settlement, Generation.Hook hook) {
        this.hook = hook;
        this.context = context;
        this.engine = context.engine();
        this.generation = generation;
        this.settlement = settlement;
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
    static TextStream start(Context context, Generation generation, Settlement settlement, Generation.Hook hook) {
        TextStream stream = new TextStream(context, generation, settlement, hook);
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
        private final Splitter splitter = settlement.speech().splitter();
        private final ArrayDeque<Part> parts = new ArrayDeque<>();
        private int tokens; // generated since the last piece
        private boolean ended;

        @Override
        public boolean hasNext() {
            while (parts.isEmpty() && !ended) {
                Generation.Chunk chunk;
                try {
                    chunk = generation.next(hook);
                } catch (InterruptedException e) {
                    throw interrupted();
                }
                if (chunk == null) {
                    ended = true;
                    parts.addAll(splitter.end());
                    settle();
                } else {
                    tokens += chunk.tokens();
                    parts.addAll(chunk.mark() ? splitter.mark(chunk.text()) : splitter.text(chunk.text()));
                }
            }
            return !parts.isEmpty();
        }

        @Override
        public Piece next() {
            if (!hasNext()) {
                throw new NoSuchElementException("the generation is over");
            }
            Part part = parts.remove();
            Piece piece = new Piece(part.text(), tokens, part.channel());
            tokens = 0;
            return piece;
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
            generation.awaitEnd(hook);
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

    /** Runs something on a thread of its own after the end. */
    void whenDone(Runnable listener) {
        generation.readWhole();
        if (generation.settings().shown()) {
            Thread.ofVirtual().name("puna-logits").start(() -> lookOn(listener));
        } else {
            generation.whenDone(listener);
        }
    }

    /** Somebody must be there for the hook; what it throws is the generation's failure. */
    private void lookOn(Runnable listener) {
        try {
            generation.awaitEnd(hook);
        } catch (InterruptedException | RuntimeException e) {
            generation.awaitUninterruptibly();
        } finally {
            listener.run();
        }
    }

    Reply settle() {
        return settlement.settle();
    }

    /** Cancels, waits for the end (a step at most) and says so, with what there is. */
    private GenerationInterruptedException interrupted() {
        engine.cancel(generation);
        generation.awaitUninterruptibly();
        Thread.currentThread().interrupt();
        try {
            return new GenerationInterruptedException(settle());
        } catch (RuntimeException failed) { // rather than ended: there is nothing to hand out
            GenerationInterruptedException nothing = new GenerationInterruptedException(null);
            nothing.addSuppressed(failed);
            return nothing;
        }
    }

    @Override
    public String toString() {
        return "generation on " + context;
    }
}
