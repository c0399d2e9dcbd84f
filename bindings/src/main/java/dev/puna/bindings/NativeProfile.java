// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_profile;
import dev.puna.bindings.gen.puna_profile_row;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Where an engine's time went since its profile was switched on.
 *
 * @param threads that compute
 * @param elapsedNanos since then
 * @param engineNanos of these, inside the engine's calls
 * @param runNanos of these, computing models
 * @param runs batches that were computed
 * @param steps since then, as those below
 * @param promptTokens of prompts, computed
 * @param generatedTokens generated
 * @param rows phases, then ops, of one part of the engine after the other
 */
public record NativeProfile(
        int threads,
        long elapsedNanos,
        long engineNanos,
        long runNanos,
        long runs,
        long steps,
        long promptTokens,
        long generatedTokens,
        List<Row> rows) {
    private static final int GUESS = 64; // rows: more than most models have

    /** What an engine's computations are for; in the order of their codes. */
    public enum Part {
        /** Logits, or all that an encoder computes. */
        MODEL,
        /** A decoder's vectors of texts. */
        STATES,
        /** An encoder-decoder's reading of its source. */
        SOURCE,
        /** The draft model's guesses. */
        DRAFT
    }

    /**
     * What is alike.
     *
     * @param part of the engine
     * @param op whether it is an op, of which calls and busyNanos alone are known; else a phase
     * @param name of its ops
     * @param threads that take part
     * @param calls how often
     * @param wallNanos from its first piece's begin to its last one's end
     * @param busyNanos of all threads together
     * @param barrierNanos from the end of the phase before to its begin
     * @param idleNanos of all threads together
     * @param bytes read; 0: not known
     * @param products multiply-adds; 0: not known
     */
    public record Row(
            Part part,
            boolean op,
            String name,
            int threads,
            long calls,
            long wallNanos,
            long busyNanos,
            long barrierNanos,
            long idleNanos,
            long bytes,
            long products) {}

    /**
     * Switches an engine's profile on, from zero, or off. By the thread that drives the engine.
     *
     * @param engine whose
     * @param on whether its time is taken from now on
     * @throws NativeException BUSY or OUT_OF_MEMORY: nothing has changed
     */
    public static void watch(NativeEngine engine, boolean on) {
        try (Handle.Use use = engine.use();
                Call call = new Call()) {
            int wanted = on ? PunaH.PUNA_PROFILE_ON() : PunaH.PUNA_PROFILE_OFF();
            call.check(PunaH.puna_engine_profile(use.address(), wanted, call.error()));
        }
    }

    /**
     * The sums until now. By the thread that drives the engine.
     *
     * @param engine whose profile is on
     * @return a snapshot
     * @throws NativeException INVALID_ARGUMENT (it is off), BUSY
     */
    public static NativeProfile read(NativeEngine engine) {
        try (Handle.Use use = engine.use();
                Call call = new Call()) {
            MemorySegment sums = call.struct(puna_profile.layout());
            MemorySegment count = call.longs(1);
            long capacity = GUESS;
            while (true) {
                MemorySegment rows = call.allocate(puna_profile_row.layout(), capacity);
                puna_profile_row.size(rows, (int) puna_profile_row.layout().byteSize());
                boolean more = call.tooSmall(
                        PunaH.puna_engine_profile_read(use.address(), sums, rows, capacity, count, call.error()));
                long length = count.get(ValueLayout.JAVA_LONG, 0);
                if (!more) {
                    return of(sums, rows, (int) length);
                }
                capacity = length;
            }
        }
    }

    private static NativeProfile of(MemorySegment sums, MemorySegment rows, int count) {
        List<Row> list = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            list.add(row(puna_profile_row.asSlice(rows, i)));
        }
        return new NativeProfile(
                puna_profile.threads(sums),
                puna_profile.elapsed_ns(sums),
                puna_profile.engine_ns(sums),
                puna_profile.run_ns(sums),
                puna_profile.runs(sums),
                puna_profile.steps(sums),
                puna_profile.prompt_tokens(sums),
                puna_profile.generated_tokens(sums),
                List.copyOf(list));
    }

    private static Row row(MemorySegment row) {
        return new Row(
                Part.values()[puna_profile_row.part(row)],
                puna_profile_row.kind(row) == PunaH.PUNA_PROFILE_OP(),
                puna_profile_row.name(row).getString(0),
                puna_profile_row.threads(row),
                puna_profile_row.calls(row),
                puna_profile_row.wall_ns(row),
                puna_profile_row.busy_ns(row),
                puna_profile_row.barrier_ns(row),
                puna_profile_row.idle_ns(row),
                puna_profile_row.bytes(row),
                puna_profile_row.products(row));
    }
}
