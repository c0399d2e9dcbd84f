// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Why the system did not open a library: Java's lookup keeps the reason to itself, so the system is asked once more.
 */
final class Refusal {
    private static final int RTLD_NOW = 2;

    private Refusal() {}

    /**
     * Whether a file begins as those of ELF, Mach-O and Windows do, or can't be read, so that the system has to say.
     * Given anything else, the JVM suspects a harmful library and prints a warning.
     */
    static boolean looksLikeALibrary(Path file) {
        byte[] start;
        try (InputStream stream = Files.newInputStream(file)) {
            start = stream.readNBytes(4);
        } catch (IOException e) {
            return true;
        }
        int number = start.length < 4 ? 0 : ByteBuffer.wrap(start).getInt();
        return number == 0x7f454c46 || number == 0xcffaedfe || number == 0xcafebabe || number >>> 16 == 0x4d5a;
    }

    /** The reason in the system's words. */
    static String of(Path library) {
        SymbolLookup system = Linker.nativeLinker().defaultLookup();
        Optional<MemorySegment> open = system.find("dlopen");
        Optional<MemorySegment> error = system.find("dlerror");
        String reason =
                open.isPresent() && error.isPresent() ? ask(open.get(), error.get(), library) : byLoading(library);
        String prefix = library + ": ";
        return reason.startsWith(prefix) ? reason.substring(prefix.length()) : reason;
    }

    private static String ask(MemorySegment open, MemorySegment error, Path library) {
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(library.toString());
            MemorySegment handle = (MemorySegment) linker.downcallHandle(
                            open, FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                    .invoke(path, RTLD_NOW);
            MemorySegment text = (MemorySegment) linker.downcallHandle(
                            error,
                            FunctionDescriptor.of(ValueLayout.ADDRESS.withTargetLayout(
                                    MemoryLayout.sequenceLayout(Long.MAX_VALUE, ValueLayout.JAVA_BYTE))))
                    .invoke();
            return handle.equals(MemorySegment.NULL) && !text.equals(MemorySegment.NULL)
                    ? text.getString(0)
                    : "the system opened it only at the second attempt";
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e); // a downcall has nothing of its own to throw
        }
    }

    private static String byLoading(Path library) {
        try {
            System.load(library.toString());
            return "the system opened it only at the second attempt";
        } catch (UnsatisfiedLinkError e) {
            return String.valueOf(e.getMessage());
        }
    }
}
