// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Model files with one thing changed. What lies behind moves by a multiple of 32 bytes, so that it stays aligned. */
public final class Altered {
    private Altered() {}

    /**
     * Another chat template.
     *
     * @param from a model
     * @param to the new file
     * @param template filled up with spaces
     * @return the new file
     * @throws IOException if it can't be written
     */
    public static Path template(Path from, Path to, String template) throws IOException {
        return string(from, to, "tokenizer.chat_template", template);
    }

    /**
     * Another text of the metadata.
     *
     * @param from a model
     * @param to the new file
     * @param key of a text
     * @param value filled up with spaces
     * @return the new file
     * @throws IOException if it can't be written
     */
    public static Path string(Path from, Path to, String key, String value) throws IOException {
        byte[] file = Files.readAllBytes(from);
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int at = value(file, key);
        int length = Math.toIntExact(buffer.getLong(at + 4));
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        if (buffer.getInt(at) != 8) {
            throw new AssertionError(key + " is no text");
        }
        int more = Math.max(0, (bytes.length - length + 31) / 32 * 32);
        ByteBuffer out = ByteBuffer.allocate(file.length + more).order(ByteOrder.LITTLE_ENDIAN);
        out.put(file, 0, at + 4).putLong(length + more).put(bytes);
        for (int i = bytes.length; i < length + more; i++) {
            out.put((byte) ' ');
        }
        out.put(file, at + 12 + length, file.length - at - 12 - length);
        return Files.write(to, out.array());
    }

    /**
     * Other bytes.
     *
     * @param from a model
     * @param to the new file
     * @param text that is in the file; its first occurrence is changed
     * @param replacement of the same length
     * @return the new file
     * @throws IOException if it can't be written
     */
    public static Path bytes(Path from, Path to, String text, String replacement) throws IOException {
        byte[] file = Files.readAllBytes(from);
        byte[] old = text.getBytes(StandardCharsets.ISO_8859_1);
        byte[] now = replacement.getBytes(StandardCharsets.ISO_8859_1);
        int at = new String(file, StandardCharsets.ISO_8859_1).indexOf(text);
        if (at < 0 || old.length != now.length) {
            throw new AssertionError(text);
        }
        System.arraycopy(now, 0, file, at, now.length);
        return Files.write(to, file);
    }

    /**
     * Another number of a tensor's type.
     *
     * @param from a model
     * @param to the new file
     * @param name of a tensor of two dimensions
     * @param type as the format numbers them
     * @return the new file
     * @throws IOException if it can't be written
     */
    public static Path tensorType(Path from, Path to, String name, int type) throws IOException {
        byte[] file = Files.readAllBytes(from);
        int at = value(file, name); // dimensions (4), their lengths (8 each), type (4)
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(at + 4 + 8 * buffer.getInt(at), type);
        return Files.write(to, file);
    }

    /** Where a key's type stands; its value follows. */
    static int value(byte[] file, String key) {
        int at = new String(file, StandardCharsets.ISO_8859_1).indexOf(key);
        if (at < 0) {
            throw new AssertionError(key + " is missing");
        }
        return at + key.length();
    }
}
