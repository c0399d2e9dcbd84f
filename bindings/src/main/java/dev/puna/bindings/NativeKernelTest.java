// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

/**
 * A kernel and what its self-test found.
 *
 * @param tier for example {@code avx2}
 * @param name for example {@code product_q4_1}
 * @param cases that were compared; 0 if it was only asked for its name
 * @param different of those
 * @param detail the first difference, or empty
 */
public record NativeKernelTest(String tier, String name, int cases, int different, String detail) {}
