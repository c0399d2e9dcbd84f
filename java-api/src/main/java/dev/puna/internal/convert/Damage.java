// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.InvalidModelException;
import dev.puna.UnsupportedModelException;

/** How what is wrong with a folder is said: file, field, reason, one sentence. */
final class Damage {
    private static final int MOST = 120; // characters of a quoted text

    private Damage() {}

    static InvalidModelException in(String file, String field, String why) {
        return new InvalidModelException(file + (field.isEmpty() ? "" : ": " + quote(field)), -1, why);
    }

    static InvalidModelException at(String file, String field, long offset, String why) {
        return new InvalidModelException(file + (field.isEmpty() ? "" : ": " + quote(field)), offset, why);
    }

    static UnsupportedModelException unsupported(String file, String field, String why) {
        return new UnsupportedModelException(file + ": " + (field.isEmpty() ? "" : quote(field) + ": ") + why);
    }

    /** A text from outside, fit for a message: on one line, without control characters, cut. */
    static String quote(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints()
                .limit(MOST)
                .forEach(c -> line.appendCodePoint(Character.isISOControl(c) || c >= 0xD800 && c < 0xE000 ? '?' : c));
        return text.codePointCount(0, text.length()) > MOST ? line + "..." : line.toString();
    }
}
