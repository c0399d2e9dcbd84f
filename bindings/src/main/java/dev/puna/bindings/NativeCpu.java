// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.util.List;

/**
 * The processor, as far as this process may use it.
 *
 * @param cores physical cores
 * @param threads hardware threads
 * @param defaultThreads what an engine takes when asked for 0
 * @param memory bytes of physical memory, or the container's limit if that is less
 * @param memoryFree bytes available now
 * @param tier the kernels in use, for example {@code avx2}
 * @param tiers all that the processor could run, from low to high
 * @param quota processors' time that the container may use, in thousandths; 0 without a limit
 * @param name what the processor calls itself, or empty
 */
public record NativeCpu(
        int cores,
        int threads,
        int defaultThreads,
        long memory,
        long memoryFree,
        String tier,
        List<String> tiers,
        int quota,
        String name) {}
