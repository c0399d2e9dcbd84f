// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/**
 * A saved sequence: bytes outside the heap, which may be more than an array holds. To be closed, not while another
 * thread uses it. Any thread, one at a time.
 */
public final class NativeState implements AutoCloseable {
    private static final long PART = 1L << 30; // what one buffer shows

    private final Arena arena;
    private final MemorySegment bytes;

    @SuppressWarnings("MustBeClosed") // closed by close()
    private NativeState(long length) {
        arena = Arena.ofShared();
        try {
            bytes = arena.allocate(length);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw e;
        }
    }

    /**
     * Makes room for a state.
     *
     * @param length in bytes
     * @return zeros, to be closed
     */
    public static NativeState allocate(long length) {
        return new NativeState(length);
    }

    /**
     * Reads a state; what is in it is not looked at.
     *
     * @param from where it comes from
     * @param length in bytes
     * @return the state, to be closed
     * @throws EOFException if there are fewer bytes
     */
    public static NativeState read(ReadableByteChannel from, long length) throws IOException {
        NativeState state = new NativeState(length);
        try {
            for (long at = 0; at < length; at += PART) {
                ByteBuffer part = state.part(at);
                while (part.hasRemaining()) {
                    if (from.read(part) < 0) {
                        throw new EOFException("it ends too early");
                    }
                }
            }
            return state;
        } catch (IOException | RuntimeException | Error e) {
            state.close();
            throw e;
        }
    }

    /**
     * Writes all bytes.
     *
     * @param to where they go
     */
    public void writeTo(WritableByteChannel to) throws IOException {
        for (long at = 0; at < length(); at += PART) {
            ByteBuffer part = part(at);
            while (part.hasRemaining()) {
                to.write(part);
            }
        }
    }

    private ByteBuffer part(long at) {
        return bytes.asSlice(at, Math.min(PART, length() - at)).asByteBuffer();
    }

    /** {@return its size in bytes} */
    public long length() {
        return bytes.byteSize();
    }

    MemorySegment bytes() {
        return bytes;
    }

    @Override
    public void close() {
        arena.close();
    }
}
