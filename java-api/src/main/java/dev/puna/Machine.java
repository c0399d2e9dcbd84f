// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeCpu;
import dev.puna.bindings.NativeLibrary;
import dev.puna.internal.Core;
import dev.puna.internal.Failures;
import java.util.List;

/** This machine as Puna's library sees it, and the library itself. Immutable; any thread. */
public final class Machine {
    private final NativeCpu cpu;

    private Machine(NativeCpu cpu) {
        this.cpu = cpu;
    }

    /**
     * Looks at the machine now.
     *
     * @return what this process may use of it
     * @throws NativeLibraryException if the library can't be loaded
     */
    public static Machine current() {
        Core.load();
        return new Machine(Failures.mapped(NativeLibrary::cpu));
    }

    /** {@return the library's version} */
    public String libraryVersion() {
        return NativeLibrary.version();
    }

    /** {@return the version of the arithmetic: equal numbers promise equal results, bit for bit} */
    public int arithmeticVersion() {
        return NativeLibrary.arithmeticVersion();
    }

    /** {@return where the library was found, in words} */
    public String libraryOrigin() {
        return NativeLibrary.origin();
    }

    /** {@return physical cores} */
    public int cores() {
        return cpu.cores();
    }

    /** {@return hardware threads} */
    public int threads() {
        return cpu.threads();
    }

    /** {@return threads that a context takes unless told otherwise} */
    public int defaultThreads() {
        return cpu.defaultThreads();
    }

    /** {@return bytes of memory, or the container's limit if that is less} */
    public long memory() {
        return cpu.memory();
    }

    /** {@return bytes of memory that are free now} */
    public long freeMemory() {
        return cpu.memoryFree();
    }

    /** {@return the kernels in use, for example {@code avx2}} */
    public String tier() {
        return cpu.tier();
    }

    /** {@return all kernels that the processor could run, from low to high} */
    public List<String> tiers() {
        return cpu.tiers();
    }

    @Override
    public String toString() {
        return cores() + " cores, " + threads() + " threads, " + tier();
    }
}
