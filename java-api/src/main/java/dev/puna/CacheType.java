// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** How keys and values are stored. More may be added. */
public enum CacheType {
    /** Half precision: two bytes a number. The default. */
    F16,
    /** Single precision: four bytes a number. */
    F32,
    /**
     * Whole numbers of eight bits, with a scale for each 32 numbers of a head: about 56% of what {@link #F16} takes, at
     * a small loss of precision.
     */
    Q8_0
}
