// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;

/** A path's name as the core wants it. */
final class Paths {
    private Paths() {}

    /**
     * The absolute path: UTF-8 on Windows, the file system's own bytes elsewhere, whatever the locale is.
     *
     * @throws IllegalArgumentException if the path is not one of the system's own files
     */
    static byte[] bytes(Path path) {
        if (!path.getFileSystem().equals(FileSystems.getDefault())) {
            throw new IllegalArgumentException("path must be on the default file system, and is not: " + path);
        }
        Path absolute = path.toAbsolutePath();
        String text = absolute.toString();
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("path must not hold a zero character");
        }
        boolean plain = text.chars().allMatch(c -> c < 128 && c != '?');
        if (plain || FileSystems.getDefault().getSeparator().equals("\\")) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        return unescape(absolute.toUri().getRawPath(), text.endsWith("/"));
    }

    /** Undoes a URI's escapes byte by byte: the only exact view of a name that the locale can't spell. */
    private static byte[] unescape(String raw, boolean keepSlash) {
        String trimmed = raw.length() > 1 && raw.endsWith("/") && !keepSlash ? raw.substring(0, raw.length() - 1) : raw;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(trimmed.length());
        for (int i = 0; i < trimmed.length(); i++) {
            char c = trimmed.charAt(i);
            if (c == '%') {
                bytes.write(Integer.parseInt(trimmed, i + 1, i + 3, 16));
                i += 2;
            } else {
                bytes.write(c);
            }
        }
        return bytes.toByteArray();
    }
}
