// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Bytes as a text in quotes that shows all of them and does nothing to a terminal. */
final class Escapes {
    private Escapes() {}

    static String of(byte[] bytes) {
        StringBuilder text = new StringBuilder("\"");
        try {
            StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString()
                    .codePoints()
                    .forEach(c -> append(text, c));
        } catch (CharacterCodingException e) { // a part of a character
            for (byte b : bytes) {
                if (b >= 0) {
                    append(text, b);
                } else {
                    text.append(String.format("\\x%02x", b));
                }
            }
        }
        return text.append('"').toString();
    }

    private static void append(StringBuilder text, int c) {
        switch (c) {
            case '\n' -> text.append("\\n");
            case '\r' -> text.append("\\r");
            case '\t' -> text.append("\\t");
            case '"' -> text.append("\\\"");
            case '\\' -> text.append("\\\\");
            default -> {
                if (isVisible(c)) {
                    text.appendCodePoint(c);
                } else {
                    text.append(String.format("\\u{%x}", c));
                }
            }
        }
    }

    private static boolean isVisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.UNASSIGNED,
                    Character.SURROGATE -> false;
            default -> true;
        };
    }
}
