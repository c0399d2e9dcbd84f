// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes plain values as JSON. Depth is bounded, so that a list that holds itself is a sentence. */
final class JsonWriter {
    private static final int MAX_DEPTH = 200;

    private final StringBuilder out = new StringBuilder();

    private JsonWriter() {}

    static String write(@Nullable Object value) {
        JsonWriter writer = new JsonWriter();
        writer.value(value, 0);
        return writer.out.toString();
    }

    private void value(@Nullable Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("a value is nested more than " + MAX_DEPTH + " deep");
        }
        switch (value) {
            case null -> out.append("null");
            case String text -> text(text);
            case Boolean truth -> out.append(truth);
            case Double number -> number(number, Double.isFinite(number));
            case Float number -> number(number, Float.isFinite(number));
            case Byte _, Short _, Integer _, Long _, BigInteger _, BigDecimal _ -> out.append(value);
            case Map<?, ?> map -> object(map, depth);
            case Collection<?> list -> array(list, depth);
            default -> throw new IllegalArgumentException("a value of " + value.getClass() + " is no JSON");
        }
    }

    private void number(Number number, boolean finite) {
        if (!finite) {
            throw new IllegalArgumentException("the number " + number + " is no JSON");
        }
        out.append(number);
    }

    private void object(Map<?, ?> map, int depth) {
        out.append('{');
        Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
        while (entries.hasNext()) {
            Map.Entry<?, ?> entry = entries.next();
            if (!(entry.getKey() instanceof String name)) {
                throw new IllegalArgumentException("a name in an object is no text: " + entry.getKey());
            }
            text(name);
            out.append(": ");
            value(entry.getValue(), depth + 1);
            out.append(entries.hasNext() ? ", " : "");
        }
        out.append('}');
    }

    private void array(Collection<?> list, int depth) {
        out.append('[');
        Iterator<?> items = list.iterator();
        while (items.hasNext()) {
            value(items.next(), depth + 1);
            out.append(items.hasNext() ? ", " : "");
        }
        out.append(']');
    }

    private void text(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < ' ') {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
