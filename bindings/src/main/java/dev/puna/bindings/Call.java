// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_error;
import dev.puna.bindings.library.NativeLoader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** The memory of one native call: its error, its arguments, its results. One thread. */
final class Call implements AutoCloseable {
    private final Arena arena;
    private final MemorySegment error;

    @SuppressWarnings("MustBeClosed") // closed by close()
    Call() {
        NativeLoader.load(null);
        arena = Arena.ofConfined();
        error = struct(puna_error.layout());
    }

    /** Where the function writes its error. */
    MemorySegment error() {
        return error;
    }

    void check(int status) {
        check(status, error);
    }

    /** The one mapper from a status to an exception. */
    static void check(int status, MemorySegment error) {
        if (status != PunaH.PUNA_OK()) {
            String message = puna_error.message(error).getString(0);
            throw new NativeException(
                    NativeStatus.of(status),
                    puna_error.offset(error),
                    puna_error.needed(error),
                    puna_error.available(error),
                    puna_error.subject(error).getString(0),
                    message.isEmpty() ? PunaH.puna_status_name(status).getString(0) : message);
        }
    }

    /** True if the function wants a larger buffer; other failures throw. */
    boolean tooSmall(int status) {
        if (status == PunaH.PUNA_BUFFER_TOO_SMALL()) {
            return true;
        }
        check(status);
        return false;
    }

    /** A function that fills a buffer and says how many elements there are. */
    interface Filler {
        /** Gives the function's status. */
        int fill(MemorySegment buffer, long capacity, MemorySegment count);
    }

    /** Calls a function that writes ids, with a larger buffer as long as it wants one. */
    int[] ids(long guess, Filler function) {
        MemorySegment count = longs(1);
        long capacity = guess;
        while (true) {
            MemorySegment buffer = allocate(ValueLayout.JAVA_INT, capacity);
            int status = function.fill(buffer, capacity, count);
            long length = count.get(ValueLayout.JAVA_LONG, 0);
            if (!tooSmall(status)) {
                return buffer.asSlice(0, length * Integer.BYTES).toArray(ValueLayout.JAVA_INT);
            }
            capacity = Math.max(length, capacity + 1);
        }
    }

    /** A struct that begins with its own size, as those of puna.h do. */
    MemorySegment struct(MemoryLayout layout) {
        return struct(arena, layout);
    }

    /** Likewise, where it lives longer than a call. */
    static MemorySegment struct(Arena arena, MemoryLayout layout) {
        MemorySegment struct = arena.allocate(layout);
        struct.set(ValueLayout.JAVA_INT, 0, Math.toIntExact(layout.byteSize()));
        return struct;
    }

    MemorySegment allocate(MemoryLayout element, long count) {
        return arena.allocate(element, count);
    }

    MemorySegment pointer() {
        return arena.allocate(PunaH.C_POINTER);
    }

    MemorySegment longs(long count) {
        return arena.allocate(ValueLayout.JAVA_LONG, count);
    }

    /** Zero-terminated. */
    MemorySegment text(byte[] utf8) {
        MemorySegment text = arena.allocate(utf8.length + 1L);
        MemorySegment.copy(utf8, 0, text, ValueLayout.JAVA_BYTE, 0, utf8.length);
        return text;
    }

    /** Zero-terminated. */
    MemorySegment text(String text) {
        return text(text.getBytes(StandardCharsets.UTF_8));
    }

    /** A copy; never an empty segment, so that C gets a pointer. */
    MemorySegment ints(int[] values) {
        MemorySegment copy = arena.allocate(ValueLayout.JAVA_INT, Math.max(1, values.length));
        MemorySegment.copy(values, 0, copy, ValueLayout.JAVA_INT, 0, values.length);
        return copy;
    }

    /** Bytes that a pointer and a length name. */
    static byte[] bytes(MemorySegment pointer, long length) {
        return length == 0 ? new byte[0] : pointer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Text that a pointer and a length name. */
    static String string(MemorySegment pointer, long length) {
        return length == 0 ? "" : new String(bytes(pointer, length), StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        arena.close();
    }
}
