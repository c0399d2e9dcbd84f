// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.GenerationInterruptedException;
import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeClosedException;
import dev.puna.bindings.NativeEmbedding;
import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeInput;
import dev.puna.bindings.NativeStatus;
import dev.puna.bindings.NativeTask;
import dev.puna.internal.Failures;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an engine computes of whole texts, when nothing generates: raw logits, vectors, what stands in a gap. Its thread
 * does it while callers park; an interrupt and the engine's end cancel it.
 */
public final class WholeTexts {
    private static final Logger LOG = LoggerFactory.getLogger(WholeTexts.class);

    private static final long EMBED_TOKENS = 4096; // of texts that are embedded in one go: others may wait for its end

    private final NativeEngine engine;
    private final Mailbox mail;
    private final Set<NativeTask> tasks = ConcurrentHashMap.newKeySet(); // that the engine's end cancels

    WholeTexts(NativeEngine engine, Mailbox mail) {
        this.engine = engine;
        this.mail = mail;
    }

    /**
     * Raw logits; waits until nothing generates.
     *
     * @param ids all tokens
     * @param first row wanted
     * @param vocabulary numbers a row
     * @param adapters what changes the model for it
     * @return rows, one after the other
     * @throws GenerationInterruptedException if the thread is interrupted meanwhile
     */
    public float[] logits(int[] ids, int first, int vocabulary, List<NativeAdapter.Use> adapters) {
        return cancellable(task ->
                whenQuiet(task, () -> with(adapters, () -> engine.logits(ids, first, vocabulary, task))));
    }

    /**
     * Vectors of texts, in portions between which others have their turn; waits until nothing generates.
     *
     * @param inputs what they are made of
     * @param how what is wanted
     * @param width numbers of each
     * @param adapters what changes the model for it
     * @return one for each input
     * @throws GenerationInterruptedException if the thread is interrupted meanwhile
     */
    public float[][] embed(List<NativeInput> inputs, NativeEmbedding how, int width, List<NativeAdapter.Use> adapters) {
        return cancellable(task -> {
            float[][] vectors = new float[inputs.size()][];
            for (int begin = 0, end; begin < vectors.length; begin = end) {
                end = portion(inputs, begin);
                List<NativeInput> some = inputs.subList(begin, end);
                float[][] found = whenQuiet(task, () -> with(adapters, () -> engine.embed(some, how, width, task)));
                System.arraycopy(found, 0, vectors, begin, found.length);
            }
            return vectors;
        });
    }

    private static int portion(List<NativeInput> inputs, int begin) {
        int end = begin;
        for (long tokens = 0; end < inputs.size() && (end == begin || tokens < EMBED_TOKENS); end++) {
            tokens += inputs.get(end).ids().length;
        }
        return end;
    }

    /** For one piece of work alone: others find the engine as it was. */
    private <T> T with(List<NativeAdapter.Use> adapters, Supplier<T> work) {
        if (adapters.isEmpty()) {
            return work.get();
        }
        engine.adapt(adapters);
        try {
            return work.get();
        } finally {
            engine.adapt(List.of());
        }
    }

    /**
     * What a masked language model says of some tokens of a text.
     *
     * @param input the text
     * @param positions of its tokens
     * @param vocabulary numbers a row
     * @param adapters what changes the model for it
     * @return a row of logits for each
     */
    public float[][] fill(NativeInput input, int[] positions, int vocabulary, List<NativeAdapter.Use> adapters) {
        return Failures.mapped(() ->
                mail.askWhenQuiet(() -> with(adapters, () -> engine.fill(input, positions, vocabulary)), () -> {}));
    }

    private <T> T cancellable(Function<NativeTask, T> work) {
        try (NativeTask task = NativeTask.create()) {
            tasks.add(task);
            try {
                return work.apply(task);
            } finally {
                tasks.remove(task);
            }
        }
    }

    private <T> T whenQuiet(NativeTask task, Supplier<T> work) {
        return Failures.mapped(() -> mail.askWhenQuiet(() -> told(work), task::cancel));
    }

    /** Whoever cancelled it: the caller hears why. */
    private <T> T told(Supplier<T> work) {
        try {
            return work.get();
        } catch (NativeException e) {
            if (e.status() == NativeStatus.CANCELLED) {
                throw mail.isClosed() ? Mailbox.closed() : new GenerationInterruptedException(null);
            }
            throw e;
        }
    }

    /** The engine ends: so does what it computes. */
    void cancel() {
        for (NativeTask task : tasks) {
            try {
                task.cancel();
            } catch (NativeClosedException e) {
                LOG.trace("a task ended by itself", e);
            }
        }
    }
}
