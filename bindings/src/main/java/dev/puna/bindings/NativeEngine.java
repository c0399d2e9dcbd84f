// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_engine_info;
import dev.puna.bindings.gen.puna_error;
import dev.puna.bindings.gen.puna_event;
import dev.puna.bindings.gen.puna_generation;
import dev.puna.bindings.gen.puna_step;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Many sequences that generate together, one step at a time. One thread drives it; a second one that comes meanwhile is
 * refused with {@link NativeStatus#BUSY}. {@link #info} and {@link #close} may come from any thread.
 */
public final class NativeEngine extends NativeObject {
    /** All tokens of a sequence. */
    public static final long ALL = -1L;

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

    /** A function of an engine. */
    private interface Told {
        /** Gives the function's status. */
        int call(MemorySegment engine, MemorySegment error);
    }

    private void checked(Told function) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            call.check(function.call(engine.address(), call.error()));
        }
    }

    /** A function that makes a sequence. */
    private interface Maker {
        /** Gives the function's status, and the sequence's id. */
        int call(MemorySegment engine, MemorySegment id, MemorySegment error);
    }

    private long made(Maker function) {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment id = call.longs(1);
            call.check(function.call(engine.address(), id, call.error()));
            return id.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * The engine's state.
     *
     * @return a snapshot
     */
    public NativeEngineInfo info() {
        try (Handle.Use engine = use();
                Call call = new Call()) {
            MemorySegment info = call.struct(puna_engine_info.layout());
            PunaH.puna_engine_describe(engine.address(), info);
            return NativeEngineInfo.read(info);
        }
    }

    /**
     * Opens a sequence, which costs nothing until it generates.
     *
     * @return its id
     */
    public long openSequence() {
        return made((engine, id, error) -> PunaH.puna_sequence_open(engine, id, error));
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
            MemorySegment settings = GenerationStruct.write(call, generation);
            puna_generation.grammar(settings, grammar);
            NativeAdapter.using(call, generation.adapters(), adapters -> {
                puna_generation.adapters(settings, adapters);
                puna_generation.adapter_count(settings, generation.adapters().size());
                call.check(PunaH.puna_sequence_generate(
                        engine.address(), sequence, call.ints(ids), ids.length, settings, call.error()));
            });
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
            NativeAdapter.using(
                    call,
                    adapters,
                    uses -> call.check(PunaH.puna_engine_adapt(engine.address(), uses, adapters.size(), call.error())));
        }
    }

    /**
     * Ends the running generation; the sequence stays open and keeps its tokens.
     *
     * @param sequence which
     */
    public void cancel(long sequence) {
        checked((engine, error) -> PunaH.puna_sequence_cancel(engine, sequence, error));
    }

    /**
     * Gives back a sequence and its pages; a generation that runs ends without a further event.
     *
     * @param sequence which
     */
    public void closeSequence(long sequence) {
        checked((engine, error) -> PunaH.puna_sequence_close(engine, sequence, error));
    }

    /**
     * A new sequence with the first tokens of another one, whose pages it shares.
     *
     * @param sequence which; may be generating
     * @param positions how many tokens, or {@link #ALL}
     * @return the new one's id
     */
    public long fork(long sequence, long positions) {
        return made((engine, id, error) -> PunaH.puna_sequence_fork(engine, sequence, positions, id, error));
    }

    /**
     * Forgets all tokens but the first ones.
     *
     * @param sequence which; not generating
     * @param positions how many stay
     */
    public void rewind(long sequence, long positions) {
        checked((engine, error) -> PunaH.puna_sequence_rewind(engine, sequence, positions, error));
    }

    /**
     * Holds back the generation, if there is one: it takes no part in steps, and its pages may go to others.
     *
     * @param sequence which
     */
    public void pause(long sequence) {
        checked((engine, error) -> PunaH.puna_sequence_pause(engine, sequence, error));
    }

    /**
     * Lets a generation go on that was held back, to the tokens that it would have had.
     *
     * @param sequence which
     */
    public void resume(long sequence) {
        checked((engine, error) -> PunaH.puna_sequence_resume(engine, sequence, error));
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
        checked((engine, error) -> PunaH.puna_engine_trim(engine, error));
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
        return fork(sequence, ALL);
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
        return made(
                (engine, id, error) -> PunaH.puna_sequence_restore(engine, state.bytes(), state.length(), id, error));
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
            return EventStruct.read(event);
        }
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
            MemorySegment slots = NativeInput.in(call, inputs);
            MemorySegment wanted = how.in(call);
            MemorySegment rows = call.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, length));
            call.check(PunaH.puna_engine_embed(
                    engine.address(), slots, inputs.size(), wanted, rows, length, watched.address(), call.error()));
            return rows(rows, inputs.size(), width);
        }
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
            MemorySegment one = NativeInput.in(call, List.of(input));
            MemorySegment rows = call.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, length));
            call.check(PunaH.puna_engine_fill(
                    engine.address(), one, call.ints(positions), positions.length, rows, length, call.error()));
            return rows(rows, positions.length, vocabulary);
        }
    }

    private static float[][] rows(MemorySegment from, int count, int width) {
        float[][] rows = new float[count][];
        for (int i = 0; i < count; i++) {
            rows[i] = from.asSlice((long) i * width * Float.BYTES, (long) width * Float.BYTES)
                    .toArray(ValueLayout.JAVA_FLOAT);
        }
        return rows;
    }
}
