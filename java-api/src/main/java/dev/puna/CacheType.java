// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** How keys and values are stored. More may be added. */
public enum CacheType {
    /** Half precision: two bytes a number. The default. */
    F16,
    /** Single precision: four bytes a number. */
    F32
}
