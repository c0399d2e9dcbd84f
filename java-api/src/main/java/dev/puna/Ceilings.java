// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeCeilings;

/** What a machine can do at most, as {@link Machine#ceilings} found it. Immutable. */
public final class Ceilings {
    private final NativeCeilings found;

    Ceilings(NativeCeilings found) {
        this.found = found;
    }

    /** {@return threads that it was measured with} */
    public int threads() {
        return found.threads();
    }

    /** {@return bytes a second that all threads together read from memory} */
    public double bytesPerSecond() {
        return found.reads();
    }

    /**
     * {@return multiply-adds of 8-bit numbers a second of all threads together, by the processor's best instruction
     * for them; 0: not known}
     */
    public double productsPerSecond() {
        return found.products();
    }
}
