// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_ceilings;
import java.lang.foreign.MemorySegment;

/**
 * What this machine can do at most.
 *
 * @param threads that it was measured with
 * @param reads bytes a second from memory, of all threads together
 * @param products int8 multiply-adds a second, likewise; 0: not known
 */
public record NativeCeilings(int threads, double reads, double products) {
    /**
     * Measures them: a quarter of a second, so on a platform thread.
     *
     * @param threads 0: as many as an engine takes
     * @return what was found
     * @throws NativeException INVALID_ARGUMENT, UNSUPPORTED or OUT_OF_MEMORY
     */
    public static NativeCeilings measure(int threads) {
        try (Call call = new Call()) {
            MemorySegment found = call.struct(puna_ceilings.layout());
            call.check(PunaH.puna_ceilings_measure(threads, found, call.error()));
            return new NativeCeilings(
                    puna_ceilings.threads(found), puna_ceilings.reads(found), puna_ceilings.products(found));
        }
    }
}
