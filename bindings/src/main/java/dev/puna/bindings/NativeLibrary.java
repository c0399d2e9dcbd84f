// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_cpu;
import dev.puna.bindings.gen.puna_kernel_test;
import dev.puna.bindings.gen.puna_log_entry;
import dev.puna.bindings.library.NativeLoader;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The library as a whole. All functions: any thread; the first one loads it. */
public final class NativeLibrary {
    private NativeLibrary() {}

    /**
     * Loads the library unless it is loaded.
     *
     * @throws NativeLoadException if none is usable; the message says what was tried
     */
    public static void load() {
        NativeLoader.load(null);
    }

    /**
     * Loads a certain library.
     *
     * @param library its file, or the folder that holds it
     * @throws NativeLoadException if it is not usable, or another one is loaded already
     */
    public static void load(Path library) {
        NativeLoader.load(library);
    }

    /**
     * Where the library was found.
     *
     * @return its file
     */
    public static Path file() {
        return NativeLoader.load(null).file();
    }

    /**
     * Which of the places the library was found in.
     *
     * @return words for a log
     */
    public static String origin() {
        return NativeLoader.load(null).origin();
    }

    /**
     * The library's version.
     *
     * @return for example {@code 0.1.0}
     */
    public static String version() {
        return NativeLoader.load(null).version();
    }

    /**
     * The version of the arithmetic contract: equal numbers promise equal bits.
     *
     * @return its number
     */
    public static int arithmeticVersion() {
        NativeLoader.load(null);
        return PunaH.puna_arithmetic_version();
    }

    /**
     * Describes the processor.
     *
     * @return what this process may use of it now
     * @throws NativeException if a tier is forced that the processor lacks
     */
    public static NativeCpu cpu() {
        try (Call call = new Call()) {
            var cpu = call.struct(puna_cpu.layout());
            call.check(PunaH.puna_cpu_describe(cpu, call.error()));
            String tiers = puna_cpu.tiers(cpu).getString(0);
            return new NativeCpu(
                    puna_cpu.cores(cpu),
                    puna_cpu.threads(cpu),
                    puna_cpu.default_threads(cpu),
                    puna_cpu.memory(cpu),
                    puna_cpu.memory_free(cpu),
                    puna_cpu.tier(cpu).getString(0),
                    tiers.isEmpty() ? List.of() : List.of(tiers.split(" ")),
                    puna_cpu.quota(cpu),
                    puna_cpu.name(cpu).getString(0));
        }
    }

    /**
     * What built the library.
     *
     * @return compiler and target, in words
     */
    public static String build() {
        NativeLoader.load(null);
        return PunaH.puna_build().getString(0);
    }

    /**
     * The number of the interface between the library and these classes.
     *
     * @return the library's; {@link #load()} refuses any other than this class's own
     */
    public static int abi() {
        NativeLoader.load(null);
        return PunaH.puna_abi();
    }

    /**
     * What the library holds now.
     *
     * @return bytes, accounted to any owner
     */
    public static long memory() {
        NativeLoader.load(null);
        return PunaH.puna_memory();
    }

    /**
     * How many kernels there are to test.
     *
     * @return their number, over all tiers that run here
     */
    public static int kernelCount() {
        NativeLoader.load(null);
        return PunaH.puna_kernel_count();
    }

    /**
     * A kernel's names.
     *
     * @param index 0 to {@link #kernelCount()} - 1
     * @return without results
     */
    public static NativeKernelTest kernel(int index) {
        try (Call call = new Call()) {
            var test = call.struct(puna_kernel_test.layout());
            call.check(PunaH.puna_kernel_describe(index, test, call.error()));
            return kernel(test);
        }
    }

    /**
     * Tests a kernel; one that is at fault may end the process.
     *
     * @param index 0 to {@link #kernelCount()} - 1
     * @return what it found
     */
    public static NativeKernelTest testKernel(int index) {
        try (Call call = new Call()) {
            var test = call.struct(puna_kernel_test.layout());
            call.check(PunaH.puna_kernel_run(index, test, call.error()));
            return kernel(test);
        }
    }

    private static NativeKernelTest kernel(MemorySegment test) {
        return new NativeKernelTest(
                puna_kernel_test.tier(test).getString(0),
                puna_kernel_test.name(test).getString(0),
                puna_kernel_test.cases(test),
                puna_kernel_test.different(test),
                puna_kernel_test.detail(test).getString(0));
    }

    /**
     * Takes the oldest entry out of the process's log.
     *
     * @return the entry, or null if there is none
     */
    public static @Nullable NativeLogEntry nextLogEntry() {
        try (Call call = new Call()) {
            var entry = call.struct(puna_log_entry.layout());
            if (PunaH.puna_log_next(entry) == 0) {
                return null;
            }
            int level = puna_log_entry.level(entry);
            return new NativeLogEntry(
                    level == PunaH.PUNA_LOG_DEBUG()
                            ? NativeLogEntry.Level.DEBUG
                            : level == PunaH.PUNA_LOG_INFO()
                                    ? NativeLogEntry.Level.INFO
                                    : level == PunaH.PUNA_LOG_WARNING()
                                            ? NativeLogEntry.Level.WARNING
                                            : NativeLogEntry.Level.ERROR,
                    puna_log_entry.time_ns(entry),
                    puna_log_entry.dropped(entry),
                    puna_log_entry.message(entry).getString(0));
        }
    }
}
