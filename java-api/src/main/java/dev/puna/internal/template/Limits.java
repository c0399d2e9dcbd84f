// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

/**
 * Bounds on what one rendering may use; a template that passes one ends with an exception that names it.
 *
 * @param maxSteps statements and expressions evaluated, copies of long strings counted in too
 * @param maxCharacters UTF-16 units of the result, and of any one string on the way
 * @param maxAllocation UTF-16 units of all strings made on the way, a list's element counted as 16; the input's own
 *     size times 32 comes on top
 * @param maxDepth nested evaluations: expressions, blocks, macro calls
 * @param maxRange the longest range()
 */
public record Limits(long maxSteps, int maxCharacters, long maxAllocation, int maxDepth, int maxRange) {
    /** Wide enough for every template known and a context of millions of tokens. */
    public static final Limits DEFAULT = new Limits(5_000_000, 32_000_000, 64_000_000, 800, 100_000);
}
