// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Model files with one thing changed, all lengths kept: what lies behind stays where it is. */
public final class Altered {
    private Altered() {}

    /**
     * Another chat template.
     *
     * @param from a model
     * @param to the new file
     * @param template not longer than the model's; filled up with spaces
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
     * @param value not longer than the old one; filled up with spaces
     * @return the new file
     * @throws IOException if it can't be written
     */
    public static Path string(Path from, Path to, String key, String value) throws IOException {
        byte[] file = Files.readAllBytes(from);
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int at = value(file, key);
        int length = Math.toIntExact(buffer.getLong(at + 4));
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        if (buffer.getInt(at) != 8 || bytes.length > length) {
            throw new AssertionError(key + " has room for " + length + " bytes");
        }
        for (int i = 0; i < length; i++) {
            file[at + 12 + i] = i < bytes.length ? bytes[i] : (byte) ' ';
        }
        return Files.write(to, file);
    }

    /**
     * Another byte.
     *
     * @param from a model
     * @param to the new file
     * @param text that is in the file; its last occurrence is changed
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

    /** Where a key's type stands; its value follows. */
    static int value(byte[] file, String key) {
        int at = new String(file, StandardCharsets.ISO_8859_1).indexOf(key);
        if (at < 0) {
            throw new AssertionError(key + " is missing");
        }
        return at + key.length();
    }
}
