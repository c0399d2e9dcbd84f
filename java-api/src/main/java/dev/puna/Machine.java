// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeCeilings;
import dev.puna.bindings.NativeCpu;
import dev.puna.bindings.NativeLibrary;
import dev.puna.internal.Core;
import dev.puna.internal.Failures;
import dev.puna.internal.Platform;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

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

    /** {@return the library's file} */
    public Path libraryFile() {
        return NativeLibrary.file();
    }

    /** {@return what built the library: compiler and target, in words} */
    public String libraryBuild() {
        return NativeLibrary.build();
    }

    /** {@return the number of the interface between the library and Java} */
    public int libraryAbi() {
        return NativeLibrary.abi();
    }

    /**
     * What the library holds now, for all models and contexts of the process: 0 when all of them are closed, but for
     * what runs still.
     *
     * @return bytes
     * @throws NativeLibraryException if the library can't be loaded
     */
    public static long nativeMemory() {
        Core.load();
        return NativeLibrary.memory();
    }

    /**
     * The library's inner functions, each of which can be tested.
     *
     * @return those of all tiers that the processor runs
     * @throws NativeLibraryException if the library can't be loaded
     */
    public static List<Kernel> kernels() {
        Core.load();
        return Kernel.all();
    }

    /**
     * Measures what this machine can do at most: what a profile's rates are shares of. Takes a quarter of a second and
     * 320 MiB meanwhile; what else runs lowers it.
     *
     * @param threads at least 1, at most 256; 0: as many as a context takes
     * @return rates of all threads together
     * @throws InsufficientMemoryException if the memory can't be had
     */
    public static Ceilings ceilings(int threads) {
        if (threads < 0 || threads > 256) {
            throw new IllegalArgumentException("threads is " + threads + "; it may be 1 to 256, 0 for the cores");
        }
        Core.load();
        return new Ceilings(
                Failures.mapped(() -> Platform.call("ceilings", () -> NativeCeilings.measure(threads), () -> {})));
    }

    /** {@return what Java's option {@code --enable-native-access} must name: a module, or ALL-UNNAMED} */
    public static String nativeModule() {
        Module module = NativeLibrary.class.getModule();
        return module.isNamed() ? module.getName() : "ALL-UNNAMED";
    }

    /** {@return whether Java lets the library be used without a warning; after its first use it always does} */
    public static boolean hasNativeAccess() {
        return NativeLibrary.class.getModule().isNativeAccessEnabled();
    }

    /** {@return what the processor calls itself, or empty} */
    public String processor() {
        return cpu.name();
    }

    /** {@return processors' worth of time that the container may use; empty without a limit} */
    public OptionalDouble processorQuota() {
        return cpu.quota() == 0 ? OptionalDouble.empty() : OptionalDouble.of(cpu.quota() / 1000.0);
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
