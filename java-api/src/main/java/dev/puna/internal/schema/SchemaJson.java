// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a schema's text (RFC 8259): objects become Map in their order, arrays List, numbers BigDecimal, and String,
 * Boolean or null. Strict: no name twice in an object, bounded in depth.
 */
final class SchemaJson {
    private static final int MAX_DEPTH = 200;
    private static final int MAX_NUMBER = 100;

    private final String text;
    private int at;

    private SchemaJson(String text) {
        this.text = text;
    }

    /**
     * Reads a whole text.
     *
     * @throws IllegalArgumentException with the offset of what is wrong
     */
    static @Nullable Object parse(String text) {
        SchemaJson json = new SchemaJson(text);
        Object value = json.value(0);
        json.space();
        if (json.at != text.length()) {
            throw json.wrong("more text follows the value");
        }
        return value;
    }

    private IllegalArgumentException wrong(String reason) {
        return new IllegalArgumentException("the schema is not JSON, at offset " + at + ": " + reason);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean take(char c) {
        space();
        boolean there = at < text.length() && text.charAt(at) == c;
        at += there ? 1 : 0;
        return there;
    }

    private @Nullable Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw wrong("it is nested more than " + MAX_DEPTH + " deep");
        }
        space();
        if (at >= text.length()) {
            throw wrong("a value is missing");
        }
        return switch (text.charAt(at)) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, @Nullable Object> object(int depth) {
        Map<String, @Nullable Object> out = new LinkedHashMap<>();
        at++;
        if (take('}')) {
            return out;
        }
        do {
            space();
            if (at >= text.length() || text.charAt(at) != '"') {
                throw wrong("a name in quotes is needed");
            }
            String name = string();
            if (!take(':')) {
                throw wrong("a colon is needed");
            }
            if (out.containsKey(name)) {
                throw wrong("the name \"" + name + "\" is there twice");
            }
            out.put(name, value(depth + 1));
        } while (take(','));
        if (!take('}')) {
            throw wrong("a comma or } is needed");
        }
        return out;
    }

    private List<@Nullable Object> array(int depth) {
        List<@Nullable Object> out = new ArrayList<>();
        at++;
        if (take(']')) {
            return out;
        }
        do {
            out.add(value(depth + 1));
        } while (take(','));
        if (!take(']')) {
            throw wrong("a comma or ] is needed");
        }
        return out;
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong("a value is needed");
        }
        at += word.length();
        return value;
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        for (at++; ; ) {
            if (at >= text.length() || text.charAt(at) < 0x20) {
                throw wrong("a text is not closed");
            }
            char c = text.charAt(at++);
            if (c == '"') {
                return out.toString();
            }
            out.append(c == '\\' ? escape() : c);
        }
    }

    private char escape() {
        char c = at < text.length() ? text.charAt(at++) : ' ';
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                if (at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9a-fA-F]{4}")) {
                    throw wrong("four hexadecimal digits are needed");
                }
                at += 4;
                yield (char) Integer.parseInt(text.substring(at - 4, at), 16);
            }
            default -> throw wrong("an escape that JSON does not know");
        };
    }

    private BigDecimal number() {
        int begin = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String number = text.substring(begin, at);
        if (number.length() > MAX_NUMBER || !number.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]{1,4})?")) {
            at = begin;
            throw wrong("a value is needed, or the number is none or too long");
        }
        return new BigDecimal(number);
    }
}
