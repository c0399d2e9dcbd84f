// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_adapter_use;
import dev.puna.bindings.gen.puna_bias;
import dev.puna.bindings.gen.puna_embedding;
import dev.puna.bindings.gen.puna_engine_info;
import dev.puna.bindings.gen.puna_error;
import dev.puna.bindings.gen.puna_event;
import dev.puna.bindings.gen.puna_generation;
import dev.puna.bindings.gen.puna_input;
import dev.puna.bindings.gen.puna_logprob;
import dev.puna.bindings.gen.puna_stage;
import dev.puna.bindings.gen.puna_step;
import dev.puna.bindings.gen.puna_text;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Many sequences that generate together, one step at a time. One thread drives it; a second one that comes meanwhile is
 * refused with {@link NativeStatus#BUSY}. {@link #info} and {@link #close} may come from any thread.
 */
public final class NativeEngine extends NativeObject {
    /** All tokens of a sequence. */
    public static final long ALL = -1L;

    private static final int[] NO_IDS = {};
    private static final float[] NO_LOGPROBS = {};

    /*
     * What a step and its events are told in: the same memory every time, since one of them comes a token. A second
     * thread that steps is refused by the core before that writes into anything but the error.
     */
    private final MemorySegment step;
    private final MemorySegment event;
    private final MemorySegment error;

    private NativeEngine(NativeModel model, MemorySegment engine) {
        super("engine", engine, PunaH::puna_engine_close, model);
        Arena arena = Arena.ofAuto();
        step = Call.struct(arena, puna_step.layout());
        event = Call.struct(arena, puna_event.layout());
        error = Call.struct(arena, puna_error.layout());
    }

    /**
     * An engine's state.
     *
     * @param contextLength positions of one sequence
     * @param threads that compute
     * @param stepTokens prompt tokens computed in one step
     * @param sequences open now
     * @param running of those: in the batch
     * @param waiting of those: in the queue
     * @param pagePositions positions that one page holds
     * @param pageBytes its size
     * @param pagesTotal that the budget allows
     * @param pagesUsed referenced by sequences now
     * @param memoryBytes accounted to the engine now
     * @param steps since it was created, as are those below
     * @param evictions times that a sequence lost its pages to another one
     * @param promptTokens of prompts, computed
     * @param generatedTokens generated
     * @param prefixHitTokens of prompts, found in the cache
     * @param pagesCached held by nobody, kept since a prompt may begin alike
     * @param paused sequences: with a generation that is held back
     * @param draftedTokens guessed ahead and computed
     * @param acceptedTokens of those, right
     */
    public record Info(
            int contextLength,
            int threads,
            int stepTokens,
            int sequences,
            int running,
            int waiting,
            int pagePositions,
            long pageBytes,
            long pagesTotal,
            long pagesUsed,
            long memoryBytes,
            long steps,
            long evictions,
            long promptTokens,
            long generatedTokens,
            long prefixHitTokens,
            long pagesCached,
            int paused,
            long draftedTokens,
            long acceptedTokens) {}

    /**
     * One round.
     *
     * @param active sequences that still have work after it; not those that are paused or wait for a choice
     * @param sequences that took part
     * @param promptTokens computed
     * @param tokens generated
     * @param events ready to be taken
     */
    public record Step(int active, int sequences, int promptTokens, int tokens, int events) {}

    /**
     * Creates an engine on a model, which stays loaded while the engine lives.
     *
     * @param model whose closing closes the engine
     * @param options how it is set up
     * @return the engine, to be closed
     * @throws NativeException if an option is out of range or memory is short
     */
    public static NativeEngine create(NativeModel model, NativeEngineOptions options) {
        try (Handle.Use use = model.use();
                Call call = new Call()) {
            MemorySegment out = call.pointer();
            call.check(
                    options.with(call, wanted -> PunaH.puna_engine_create(use.address(), wanted, out, call.error())));
            return new NativeEngine(model, out.get(PunaH.C_POINTER, 0));
        }
    }

    /**
     * The engine's state.
     *
     * @return a snapshot
     */
    public Info info() {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment info = call.struct(puna_engine_info.layout());
            PunaH.puna_engine_describe(engine.address(), info);
            return new Info(
                    puna_engine_info.context_length(info),
                    puna_engine_info.threads(info),
                    puna_engine_info.step_tokens(info),
                    puna_engine_info.sequences(info),
                    puna_engine_info.running(info),
                    puna_engine_info.waiting(info),
                    puna_engine_info.page_positions(info),
                    puna_engine_info.page_bytes(info),
                    puna_engine_info.pages_total(info),
                    puna_engine_info.pages_used(info),
                    puna_engine_info.memory_bytes(info),
                    puna_engine_info.steps(info),
                    puna_engine_info.evictions(info),
                    puna_engine_info.prompt_tokens(info),
                    puna_engine_info.generated_tokens(info),
                    puna_engine_info.prefix_hit_tokens(info),
                    puna_engine_info.pages_cached(info),
                    puna_engine_info.paused(info),
                    puna_engine_info.drafted_tokens(info),
                    puna_engine_info.accepted_tokens(info));
        }
    }

    /**
     * Opens a sequence, which costs nothing until it generates.
     *
     * @return its id
     */
    public long openSequence() {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment out = call.longs(1);
            call.check(PunaH.puna_sequence_open(engine.address(), out, call.error()));
            return out.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * Starts a generation.
     *
     * @param sequence which
     * @param ids the whole of its tokens; what the cache holds of a common prefix is reused
     * @param generation what to do
     * @throws NativeException BUSY, CONTEXT_FULL, CLOSED or INVALID_ARGUMENT
     */
    public void generate(long sequence, int[] ids, NativeGeneration generation) {
        NativeGrammar grammar = generation.grammar();
        if (grammar == null) {
            generate(sequence, ids, generation, MemorySegment.NULL);
            return;
        }
        try (Handle.Use use = grammar.use()) {
            generate(sequence, ids, generation, use.address());
        }
    }

    private void generate(long sequence, int[] ids, NativeGeneration generation, MemorySegment grammar) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment settings = generation(call, generation);
            puna_generation.grammar(settings, grammar);
            withAdapters(call, generation.adapters(), adapters -> {
                puna_generation.adapters(settings, adapters);
                puna_generation.adapter_count(settings, generation.adapters().size());
                call.check(PunaH.puna_sequence_generate(
                        engine.address(), sequence, call.ints(ids), ids.length, settings, call.error()));
            });
        }
    }

    /** The adapters are in use while the call takes its own hold of them. */
    private static void withAdapters(Call call, List<NativeAdapter.Use> from, Consumer<MemorySegment> work) {
        List<Handle.Use> uses = new ArrayList<>();
        try {
            MemorySegment to =
                    from.isEmpty() ? MemorySegment.NULL : call.allocate(puna_adapter_use.layout(), from.size());
            for (int i = 0; i < from.size(); i++) {
                Handle.Use use = from.get(i).adapter().use();
                uses.add(use);
                MemorySegment slot = puna_adapter_use.asSlice(to, i);
                puna_adapter_use.adapter(slot, use.address());
                puna_adapter_use.weight(slot, from.get(i).weight());
            }
            work.accept(to);
        } finally {
            uses.forEach(Handle.Use::close);
        }
    }

    /**
     * Says what raw logits and embeddings are computed with from now on.
     *
     * @param adapters in order; none: the model as it is
     */
    public void adapt(List<NativeAdapter.Use> adapters) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            withAdapters(
                    call,
                    adapters,
                    uses -> call.check(PunaH.puna_engine_adapt(engine.address(), uses, adapters.size(), call.error())));
        }
    }

    private static MemorySegment generation(Call call, NativeGeneration from) {
        MemorySegment to = call.struct(puna_generation.layout());
        PunaH.puna_generation_default(to);
        puna_generation.max_tokens(to, from.maxTokens());
        puna_generation.seed(to, from.seed());
        puna_generation.logprobs(to, from.logprobs() ? 1 : 0);
        puna_generation.top_logprobs(to, from.topLogprobs());
        puna_generation.flags(
                to,
                (from.ignoreEos() ? PunaH.PUNA_GENERATE_IGNORE_EOS() : 0)
                        | (from.shown() ? PunaH.PUNA_GENERATE_LOGITS() : 0)
                        | (from.drafts() ? 0 : PunaH.PUNA_GENERATE_NO_DRAFTS())
                        | (from.keep() >= 0 ? PunaH.PUNA_GENERATE_SHIFT() : 0));
        puna_generation.keep(to, Math.max(0, from.keep()));
        puna_generation.stage_count(to, from.stages().size());
        if (!from.stages().isEmpty()) {
            puna_generation.stages(to, stages(call, from.stages()));
        }
        puna_generation.stop_count(to, from.stops().size());
        if (!from.stops().isEmpty()) {
            puna_generation.stops(to, texts(call, from.stops()));
        }
        puna_generation.breaker_count(to, from.breakers().size());
        if (!from.breakers().isEmpty()) {
            puna_generation.breakers(to, texts(call, from.breakers()));
        }
        puna_generation.bias_count(to, from.biases().size());
        if (!from.biases().isEmpty()) {
            puna_generation.biases(to, biases(call, from.biases()));
        }
        NativeBeams beams = from.beams();
        if (beams != null) {
            puna_generation.beams(to, beams.width());
            puna_generation.length_penalty(to, beams.lengthPenalty());
            puna_generation.early_stopping(to, beams.stop().code());
        }
        return to;
    }

    private static MemorySegment biases(Call call, Map<Integer, Float> from) {
        MemorySegment to = call.allocate(puna_bias.layout(), from.size());
        int i = 0;
        for (Map.Entry<Integer, Float> one : from.entrySet()) {
            MemorySegment slot = puna_bias.asSlice(to, i++);
            puna_bias.id(slot, one.getKey());
            puna_bias.value(slot, one.getValue());
        }
        return to;
    }

    private static MemorySegment stages(Call call, List<NativeStage> from) {
        MemorySegment to = call.allocate(puna_stage.layout(), from.size());
        for (int i = 0; i < from.size(); i++) {
            NativeStage stage = from.get(i);
            MemorySegment slot = puna_stage.asSlice(to, i);
            puna_stage.kind(slot, stage.kind().code());
            puna_stage.value(slot, stage.value());
            puna_stage.window(slot, stage.window());
            puna_stage.repeat(slot, stage.repeat());
            puna_stage.frequency(slot, stage.frequency());
            puna_stage.presence(slot, stage.presence());
            puna_stage.threshold(slot, stage.threshold());
            puna_stage.rate(slot, stage.rate());
            puna_stage.base(slot, stage.base());
            puna_stage.allowed_length(slot, stage.allowedLength());
            puna_stage.range(slot, stage.range());
            puna_stage.exponent(slot, stage.exponent());
            puna_stage.decay(slot, stage.decay());
        }
        return to;
    }

    private static MemorySegment texts(Call call, List<String> from) {
        MemorySegment to = call.allocate(puna_text.layout(), from.size());
        for (int i = 0; i < from.size(); i++) {
            byte[] utf8 = from.get(i).getBytes(StandardCharsets.UTF_8);
            MemorySegment slot = puna_text.asSlice(to, i);
            puna_text.text(slot, call.text(utf8));
            puna_text.length(slot, utf8.length);
        }
        return to;
    }

    /**
     * Ends the running generation; the sequence stays open and keeps its tokens.
     *
     * @param sequence which
     */
    public void cancel(long sequence) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            call.check(PunaH.puna_sequence_cancel(engine.address(), sequence, call.error()));
        }
    }

    /**
     * Gives back a sequence and its pages; a generation that runs ends without a further event.
     *
     * @param sequence which
     */
    public void closeSequence(long sequence) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            call.check(PunaH.puna_sequence_close(engine.address(), sequence, call.error()));
        }
    }

    /**
     * A new sequence with the first tokens of another one, whose pages it shares.
     *
     * @param sequence which; may be generating
     * @param positions how many tokens, or {@link #ALL}
     * @return the new one's id
     */
    public long fork(long sequence, long positions) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment out = call.longs(1);
            call.check(PunaH.puna_sequence_fork(engine.address(), sequence, positions, out, call.error()));
            return out.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * Forgets all tokens but the first ones.
     *
     * @param sequence which; not generating
     * @param positions how many stay
     */
    public void rewind(long sequence, long positions) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            call.check(PunaH.puna_sequence_rewind(engine.address(), sequence, positions, call.error()));
        }
    }

    /**
     * Holds back the generation, if there is one: it takes no part in steps, and its pages may go to others.
     *
     * @param sequence which
     */
    public void pause(long sequence) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            call.check(PunaH.puna_sequence_pause(engine.address(), sequence, call.error()));
        }
    }

    /**
     * Lets a generation go on that was held back, to the tokens that it would have had.
     *
     * @param sequence which
     */
    public void resume(long sequence) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            call.check(PunaH.puna_sequence_resume(engine.address(), sequence, call.error()));
        }
    }

    /**
     * Lets a generation go on whose logits were shown.
     *
     * @param sequence which
     * @param logits what a token is chosen from in the coming step: as many as were shown
     * @throws NativeException NOT_FINITE if one is NaN or infinite, or none is finite: nothing was changed then
     */
    public void choose(long sequence, float[] logits) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment row = call.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, logits.length));
            MemorySegment.copy(logits, 0, row, ValueLayout.JAVA_FLOAT, 0, logits.length);
            call.check(PunaH.puna_sequence_choose(engine.address(), sequence, row, logits.length, call.error()));
        }
    }

    /** Gives back all pages that no running sequence holds; they are computed again when they are needed. */
    public void trim() {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            call.check(PunaH.puna_engine_trim(engine.address(), call.error()));
        }
    }

    /**
     * A sequence's token ids: prompt and generated ones.
     *
     * @param sequence which
     * @return a copy
     */
    public int[] tokens(long sequence) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            return call.ids(
                    256,
                    (ids, capacity, count) ->
                            PunaH.puna_sequence_tokens(engine.address(), sequence, ids, capacity, count, call.error()));
        }
    }

    /**
     * Goes on in two ways from all that a sequence has; both share its pages.
     *
     * @param sequence which
     * @return the new sequence's id
     */
    public long fork(long sequence) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment out = call.longs(1);
            call.check(PunaH.puna_sequence_fork(engine.address(), sequence, PunaH.PUNA_ALL(), out, call.error()));
            return out.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * How many bytes a sequence takes when it is saved.
     *
     * @param sequence which
     * @return bytes, until it changes
     */
    public long stateLength(long sequence) {
        return save(sequence, MemorySegment.NULL, 0);
    }

    /**
     * Saves a sequence: its tokens and what the cache holds of them. Takes milliseconds: call it on a platform thread.
     *
     * @param sequence which
     * @param into room for it
     * @return the bytes that it takes; nothing was written if that is more than there is room for
     */
    public long save(long sequence, NativeState into) {
        return save(sequence, into.bytes(), into.length());
    }

    private long save(long sequence, MemorySegment into, long room) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment length = call.longs(1);
            call.tooSmall(PunaH.puna_sequence_save(engine.address(), sequence, into, room, length, call.error()));
            return length.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * Opens a sequence that was saved. Takes milliseconds: call it on a platform thread.
     *
     * @param state what {@link #save} wrote
     * @return the sequence's id
     * @throws NativeException INVALID_FILE, UNSUPPORTED, INVALID_ARGUMENT (another model or cache type), CONTEXT_FULL
     */
    public long restore(NativeState state) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment out = call.longs(1);
            call.check(PunaH.puna_sequence_restore(engine.address(), state.bytes(), state.length(), out, call.error()));
            return out.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * Does one round: a token for each running sequence and a slice of the waiting prompts. Takes milliseconds: call it
     * on a platform thread. Events of the step before that were not taken are dropped.
     *
     * @return what was done; with nothing to do it returns at once, nothing active
     */
    public Step step() {
        try (Handle.Use engine = use()) {
            Call.check(PunaH.puna_engine_step(engine.address(), step, error), error);
            return new Step(
                    puna_step.active(step),
                    puna_step.sequences(step),
                    puna_step.prompt_tokens(step),
                    puna_step.tokens(step),
                    puna_step.events(step));
        }
    }

    /**
     * Takes the next event of the last step.
     *
     * @return the event, or null if there is none left
     */
    public @Nullable NativeEvent nextEvent() {
        try (Handle.Use engine = use()) {
            if (PunaH.puna_engine_next_event(engine.address(), event) == 0) {
                return null;
            }
            int kind = puna_event.kind(event);
            if (kind == PunaH.PUNA_EVENT_FINISHED()) return finished(event);
            return kind == PunaH.PUNA_EVENT_LOGITS() ? logits(event) : token(event);
        }
    }

    private static NativeEvent logits(MemorySegment event) {
        int count = puna_event.logit_count(event);
        MemorySegment row = puna_event.logits(event);
        float[] values = count == 0
                ? new float[0]
                : row.asSlice(0, (long) count * Float.BYTES).toArray(ValueLayout.JAVA_FLOAT);
        return new NativeEvent.Logits(puna_event.sequence(event), values);
    }

    private static NativeEvent token(MemorySegment event) {
        int count = puna_event.top_count(event);
        int[] ids = count == 0 ? NO_IDS : new int[count];
        float[] logprobs = count == 0 ? NO_LOGPROBS : new float[count];
        if (count > 0) {
            MemorySegment top = puna_event.top(event);
            for (int i = 0; i < count; i++) {
                MemorySegment one = puna_logprob.asSlice(top, i);
                ids[i] = puna_logprob.id(one);
                logprobs[i] = puna_logprob.logprob(one);
            }
        }
        return new NativeEvent.Token(
                puna_event.sequence(event),
                puna_event.token(event),
                text(event),
                puna_event.logprob(event),
                ids,
                logprobs);
    }

    private static NativeEvent finished(MemorySegment event) {
        NativeEvent.Stop stop = stop(puna_event.stop(event));
        boolean failed = stop == NativeEvent.Stop.FAILED;
        return new NativeEvent.Finished(
                puna_event.sequence(event),
                stop,
                puna_event.stop_index_valid(event) == 1 ? puna_event.stop_index(event) : -1,
                text(event),
                failed ? NativeStatus.of(puna_event.status(event)) : NativeStatus.OK,
                failed ? puna_event.message(event).getString(0) : "",
                puna_event.prompt_tokens(event),
                puna_event.cached_tokens(event),
                puna_event.generated_tokens(event),
                puna_event.queued_ns(event),
                puna_event.prompt_ns(event),
                puna_event.generate_ns(event),
                puna_event.dropped_tokens(event),
                puna_event.drafted_tokens(event),
                puna_event.accepted_tokens(event));
    }

    private static String text(MemorySegment event) {
        return Call.string(puna_event.text(event), puna_event.text_length(event));
    }

    private static NativeEvent.Stop stop(int code) {
        if (code == PunaH.PUNA_STOP_END()) return NativeEvent.Stop.END;
        if (code == PunaH.PUNA_STOP_LENGTH()) return NativeEvent.Stop.LENGTH;
        if (code == PunaH.PUNA_STOP_CONTEXT()) return NativeEvent.Stop.CONTEXT;
        if (code == PunaH.PUNA_STOP_TEXT()) return NativeEvent.Stop.TEXT;
        if (code == PunaH.PUNA_STOP_CANCELLED()) return NativeEvent.Stop.CANCELLED;
        return NativeEvent.Stop.FAILED;
    }

    /**
     * The logits after each of some ids, computed from an empty cache: row i is what the model says after ids 0 to i.
     * Takes long: call it on a platform thread.
     *
     * @param ids all of them
     * @param first the first row wanted
     * @param task can cancel; may be null
     * @return rows first to the last, one after the other, a number for each token of the vocabulary
     * @throws NativeException BUSY while sequences are active; CANCELLED
     */
    public float[] logits(int[] ids, int first, int vocabulary, @Nullable NativeTask task) {
        if (task == null) {
            return logits(ids, first, vocabulary, MemorySegment.NULL);
        }
        try (Handle.Use use = task.use()) {
            return logits(ids, first, vocabulary, use.address());
        }
    }

    private float[] logits(int[] ids, int first, int vocabulary, MemorySegment task) {
        int length = Math.multiplyExact(Math.max(0, ids.length - first), vocabulary);
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment rows = call.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, length));
            call.check(PunaH.puna_engine_logits(
                    engine.address(), call.ints(ids), ids.length, first, rows, length, task, call.error()));
            return rows.asSlice(0, (long) length * Float.BYTES).toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /**
     * Vectors of texts. Takes long: call it on a platform thread.
     *
     * @param inputs at least one token each
     * @param how what is wanted
     * @param width numbers of each vector
     * @param task can cancel
     * @return one vector for each text
     * @throws NativeException UNSUPPORTED, CONTEXT_FULL, BUSY, CANCELLED, ...
     */
    public float[][] embed(List<NativeInput> inputs, NativeEmbedding how, int width, NativeTask task) {
        long length = Math.multiplyExact((long) inputs.size(), width);
        try (Handle.Use engine = use();
                Handle.Use watched = task.use();
                Call call = new Call()) {
            MemorySegment slots = call.allocate(puna_input.layout(), Math.max(1, inputs.size()));
            for (int i = 0; i < inputs.size(); i++) {
                input(call, inputs.get(i), puna_input.asSlice(slots, i));
            }
            MemorySegment wanted = call.struct(puna_embedding.layout());
            PunaH.puna_embedding_default(wanted);
            puna_embedding.pooling(wanted, how.pooling().ordinal());
            puna_embedding.dimensions(wanted, how.dimensions());
            puna_embedding.normalize(wanted, how.normalize() ? 1 : 0);
            puna_embedding.truncate(wanted, how.truncate() ? 1 : 0);
            MemorySegment rows = call.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, length));
            call.check(PunaH.puna_engine_embed(
                    engine.address(), slots, inputs.size(), wanted, rows, length, watched.address(), call.error()));
            float[][] vectors = new float[inputs.size()][];
            for (int i = 0; i < vectors.length; i++) {
                vectors[i] = rows.asSlice((long) i * width * Float.BYTES, (long) width * Float.BYTES)
                        .toArray(ValueLayout.JAVA_FLOAT);
            }
            return vectors;
        }
    }

    private static void input(Call call, NativeInput from, MemorySegment to) {
        puna_input.ids(to, call.ints(from.ids()));
        puna_input.types(to, from.types().length == 0 ? MemorySegment.NULL : call.ints(from.types()));
        puna_input.count(to, from.ids().length);
    }

    /**
     * What a masked language model says of some tokens.
     *
     * @param input the text
     * @param positions of its tokens
     * @param vocabulary numbers a row
     * @return a row of logits for each position
     * @throws NativeException UNSUPPORTED, CONTEXT_FULL, ...
     */
    public float[][] fill(NativeInput input, int[] positions, int vocabulary) {
        long length = Math.multiplyExact((long) positions.length, vocabulary);
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment one = call.allocate(puna_input.layout(), 1);
            input(call, input, one);
            MemorySegment rows = call.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, length));
            call.check(PunaH.puna_engine_fill(
                    engine.address(), one, call.ints(positions), positions.length, rows, length, call.error()));
            float[][] logits = new float[positions.length][];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = rows.asSlice((long) i * vocabulary * Float.BYTES, (long) vocabulary * Float.BYTES)
                        .toArray(ValueLayout.JAVA_FLOAT);
            }
            return logits;
        }
    }
}
