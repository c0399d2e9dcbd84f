// SPDX-License-Identifier: Apache-2.0
package dev.puna.convert;

/** How far a conversion is. Immutable. */
public final class ConvertProgress {
    private final long done;
    private final long total;

    ConvertProgress(long done, long total) {
        this.done = done;
        this.total = total;
    }

    /** {@return bytes of weights that were read} */
    public long done() {
        return done;
    }

    /** {@return bytes of weights in all; 0 while the folder is being looked through} */
    public long total() {
        return total;
    }

    @Override
    public String toString() {
        return done + " of " + total + " bytes";
    }
}
