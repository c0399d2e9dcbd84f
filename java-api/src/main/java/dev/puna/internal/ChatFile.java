// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.bindings.NativeState;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A saved chat as bytes, little-endian:
 *
 * <pre>
 * front   28 bytes   "PUNACHAT"; u32 version; u32 bytes of text; u64 bytes of state; u32 CRC-32C of all before it and
 *                    of the text
 * text               JSON (ChatJson)
 * state              of the chat's sequence, as the core writes it, with sums of its own; may be missing
 * </pre>
 *
 * The state is not looked at here. To be closed. One thread.
 */
public final class ChatFile implements AutoCloseable {
    private static final byte[] MAGIC = "PUNACHAT".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int FRONT = 28;
    private static final int SUMMED = FRONT - Integer.BYTES;

    private final String json;
    private final @Nullable NativeState state;

    /**
     * A chat to be written.
     *
     * @param json its text
     * @param state its sequence, which this owns now; null if there is none
     */
    public ChatFile(String json, @Nullable NativeState state) {
        this.json = json;
        this.state = state;
    }

    /** {@return the text} */
    public String json() {
        return json;
    }

    /** {@return the sequence, not to be closed; null if there is none} */
    public @Nullable NativeState state() {
        return state;
    }

    /** {@return bytes of all} */
    public long length() {
        return FRONT + (long) json.getBytes(StandardCharsets.UTF_8).length + stateLength();
    }

    private long stateLength() {
        return state == null ? 0 : state.length();
    }

    /**
     * Writes all of it.
     *
     * @param to where it goes
     */
    public void writeTo(WritableByteChannel to) throws IOException {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        ByteBuffer front = ByteBuffer.allocate(FRONT).order(ByteOrder.LITTLE_ENDIAN);
        front.put(MAGIC).putInt(VERSION).putInt(text.length).putLong(stateLength());
        front.putInt(sum(front.array(), text)).flip();
        for (ByteBuffer part : new ByteBuffer[] {front, ByteBuffer.wrap(text)}) {
            while (part.hasRemaining()) {
                to.write(part);
            }
        }
        if (state != null) {
            state.writeTo(to);
        }
    }

    private static int sum(byte[] front, byte[] text) {
        CRC32C crc = new CRC32C();
        crc.update(front, 0, SUMMED);
        crc.update(text);
        return (int) crc.getValue();
    }

    /**
     * Reads a file.
     *
     * @param file what was written
     * @return the chat, to be closed
     * @throws IllegalArgumentException if it is none: says why
     */
    public static ChatFile read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return read(channel, channel.size());
        }
    }

    /**
     * Reads bytes.
     *
     * @param bytes what was written
     * @return the chat, to be closed
     * @throws IllegalArgumentException if it is none: says why
     */
    public static ChatFile read(byte[] bytes) throws IOException {
        return read(Channels.newChannel(new ByteArrayInputStream(bytes)), bytes.length);
    }

    private static ChatFile read(ReadableByteChannel from, long length) throws IOException {
        if (length < FRONT) {
            throw new IllegalArgumentException("it is too short");
        }
        ByteBuffer front = ByteBuffer.wrap(bytes(from, FRONT)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[MAGIC.length];
        front.get(magic);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new IllegalArgumentException("it does not begin as one");
        }
        int version = front.getInt();
        if (version != VERSION) {
            throw new IllegalArgumentException(
                    "it has version " + version + ", which this library does not know; it knows " + VERSION);
        }
        int text = front.getInt();
        long state = front.getLong();
        if (text < 0 || text > length - FRONT || state != length - FRONT - text) {
            throw new IllegalArgumentException("it is damaged: cut, or something follows");
        }
        byte[] json = bytes(from, text);
        if (sum(front.array(), json) != front.getInt()) {
            throw new IllegalArgumentException("it is damaged: its bytes do not have the sum that was written");
        }
        return new ChatFile(text(json), state == 0 ? null : NativeState.read(from, state));
    }

    private static String text(byte[] json) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(json))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("its text is not UTF-8", e);
        }
    }

    private static byte[] bytes(ReadableByteChannel from, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            if (from.read(bytes) < 0) {
                throw new EOFException("it ends too early");
            }
        }
        return bytes.array();
    }

    @Override
    public void close() {
        if (state != null) {
            state.close();
        }
    }
}
