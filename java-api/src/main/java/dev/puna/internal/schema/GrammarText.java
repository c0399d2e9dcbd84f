// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Collects a grammar's rules and writes them in the core's notation. One thread. */
final class GrammarText {
    /** More than any schema needs; the core's own bound is 16384 rules. */
    private static final int MOST_RULES = 12_000;

    private final List<String> rules = new ArrayList<>();
    private final Map<String, String> names = new HashMap<>();
    private int fresh;

    /** A name for a rule that is still to be defined: letters, digits and dashes of a hint, and a number. */
    String name(String hint) {
        if (++fresh > MOST_RULES) {
            throw new IllegalArgumentException("the schema is too large: it needs more than " + MOST_RULES + " rules");
        }
        String plain = hint.replaceAll("[^A-Za-z0-9]+", "-");
        String end = plain.length() > 24 ? plain.substring(plain.length() - 24) : plain;
        return "r" + fresh + (end.isEmpty() || end.startsWith("-") ? end : "-" + end);
    }

    void define(String name, String expression) {
        rules.add(name + " ::= " + expression);
    }

    /** A rule for an expression: always the same one. */
    String rule(String hint, String expression) {
        String known = names.get(expression);
        if (known == null) {
            known = name(hint);
            names.put(expression, known);
            define(known, expression);
        }
        return known;
    }

    /** The whole text; {@code root} is what it matches. */
    String text(String root) {
        StringBuilder text = new StringBuilder("root ::= ").append(root).append('\n');
        for (String rule : rules) {
            text.append(rule).append('\n');
        }
        return text.toString();
    }

    /** A text in quotes. */
    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        text.codePoints().forEach(c -> {
            if (c >= 0xD800 && c <= 0xDFFF) {
                throw new IllegalArgumentException("half a surrogate pair stands alone in \"" + text + "\"");
            }
            if (c == '"' || c == '\\') {
                out.append('\\').appendCodePoint(c);
            } else if (c >= 0x20 && c < 0x7F) {
                out.appendCodePoint(c);
            } else {
                out.append(escape(c));
            }
        });
        return out.append('"').toString();
    }

    /** A character by its number. */
    static String escape(int codePoint) {
        return String.format("\\U%08X", codePoint);
    }
}
