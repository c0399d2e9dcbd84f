// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeKernelTest;
import dev.puna.bindings.NativeLibrary;
import dev.puna.internal.Failures;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One of the library's inner functions for one kind of processor, which can be tested where it runs: {@code puna
 * doctor} does. Immutable; any thread.
 */
public final class Kernel {
    private final int index;
    private final String tier;
    private final String name;

    private Kernel(int index, NativeKernelTest names) {
        this.index = index;
        this.tier = names.tier();
        this.name = names.name();
    }

    static List<Kernel> all() {
        return Failures.mapped(() -> {
            List<Kernel> all = new ArrayList<>();
            int count = NativeLibrary.kernelCount();
            for (int i = 0; i < count; i++) {
                all.add(new Kernel(i, NativeLibrary.kernel(i)));
            }
            return List.copyOf(all);
        });
    }

    /** {@return the kind of processor that it is for, one of {@link Machine#tiers()}} */
    public String tier() {
        return tier;
    }

    /** {@return its name, for example {@code product_q4_1}} */
    public String name() {
        return name;
    }

    /**
     * Compares it with the portable one over a few shapes, which takes some milliseconds. Where the processor or its
     * memory is at fault this may end the process.
     *
     * @return what differed first; empty if all is well
     * @throws InsufficientMemoryException if there is no room for the test
     */
    public Optional<String> test() {
        NativeKernelTest found = Failures.mapped(() -> NativeLibrary.testKernel(index));
        return found.different() == 0
                ? Optional.empty()
                : Optional.of(found.different() + " of " + found.cases() + " cases differ; " + found.detail());
    }

    @Override
    public String toString() {
        return tier + " " + name;
    }
}
