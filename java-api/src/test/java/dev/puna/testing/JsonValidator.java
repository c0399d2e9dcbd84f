// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A second opinion on JSON and JSON Schema for tests: reads a text by the letter of RFC 8259 and evaluates a schema's
 * keywords one by one, as their definitions say. It shares nothing with what compiles schemas.
 */
public final class JsonValidator {
    private final String text;
    private int at;

    private JsonValidator(String text) {
        this.text = text;
    }

    /**
     * Reads a whole text.
     *
     * @param text JSON
     * @return Map, List, String, BigDecimal, Boolean or null
     * @throws IllegalArgumentException if it is none
     */
    public static @Nullable Object parse(String text) {
        JsonValidator reader = new JsonValidator(text);
        Object value = reader.value();
        reader.blanks();
        if (reader.at != text.length()) {
            throw new IllegalArgumentException("more at " + reader.at + " of " + text);
        }
        return value;
    }

    private void blanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private void need(String what) {
        if (!text.startsWith(what, at)) {
            throw new IllegalArgumentException(what + " is missing at " + at + " of " + text);
        }
        at += what.length();
    }

    private boolean is(String what) {
        blanks();
        boolean there = text.startsWith(what, at);
        at += there ? what.length() : 0;
        return there;
    }

    private @Nullable Object value() {
        if (is("{")) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            if (!is("}")) {
                do {
                    blanks();
                    need("\"");
                    String key = string();
                    blanks();
                    need(":");
                    map.put(key, value());
                } while (is(","));
                need("}");
            }
            return map;
        }
        if (is("[")) {
            List<@Nullable Object> list = new ArrayList<>();
            if (!is("]")) {
                do {
                    list.add(value());
                } while (is(","));
                need("]");
            }
            return list;
        }
        if (is("\"")) return string();
        if (is("true")) return true;
        if (is("false")) return false;
        if (is("null")) return null;
        var number = Pattern.compile("-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][-+]?\\d+)?")
                .matcher(text);
        if (!number.find(at) || number.start() != at) {
            throw new IllegalArgumentException("no value at " + at + " of " + text);
        }
        at = number.end();
        return new BigDecimal(number.group());
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        while (!text.startsWith("\"", at)) {
            char c = text.charAt(at++);
            if (c < 0x20) {
                throw new IllegalArgumentException("a control character at " + (at - 1) + " of " + text);
            }
            if (c == '\\') {
                char e = text.charAt(at++);
                int place = "\"\\/bfnrt".indexOf(e);
                if (e == 'u') {
                    out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                } else if (place >= 0) {
                    out.append("\"\\/\b\f\n\r\t".charAt(place));
                } else {
                    throw new IllegalArgumentException("an escape at " + at + " of " + text);
                }
            } else {
                out.append(c);
            }
        }
        at++;
        return out.toString();
    }

    /**
     * Does a value follow a schema?
     *
     * @param root the schema in which $ref looks
     * @param schema that counts
     * @param value parsed
     * @return whether it is valid
     */
    public static boolean valid(@Nullable Object root, @Nullable Object schema, @Nullable Object value) {
        if (schema instanceof Boolean truth) {
            return truth;
        }
        Map<?, ?> map = (Map<?, ?>) Objects.requireNonNull(schema);
        return map.entrySet().stream()
                .allMatch(e ->
                        keyword(root, map, (String) e.getKey(), Objects.requireNonNullElse(e.getValue(), map), value));
    }

    private static boolean keyword(@Nullable Object root, Map<?, ?> schema, String word, Object x, @Nullable Object v) {
        switch (word) {
            case "$ref":
                Object at = root;
                for (String step : ((String) x).split("/")) {
                    at = step.equals("#") ? at : ((Map<?, ?>) Objects.requireNonNull(at)).get(step);
                }
                return valid(root, at, v);
            case "type":
                return x instanceof List<?> l ? l.stream().anyMatch(t -> type(t, v)) : type(x, v);
            case "const":
                return x == schema ? v == null : same(x, v);
            case "enum":
                return ((List<?>) x).stream().anyMatch(one -> same(one, v));
            case "anyOf", "oneOf":
                return ((List<?>) x).stream().anyMatch(s -> valid(root, s, v));
            case "allOf":
                return ((List<?>) x).stream().allMatch(s -> valid(root, s, v));
            default:
        }
        if (v instanceof Map<?, ?> m) {
            Map<?, ?> named = schema.get("properties") instanceof Map<?, ?> p ? p : Map.of();
            return switch (word) {
                case "properties" ->
                    named.keySet().stream().allMatch(k -> !m.containsKey(k) || valid(root, named.get(k), m.get(k)));
                case "required" -> m.keySet().containsAll((List<?>) x);
                case "additionalProperties" ->
                    m.keySet().stream().allMatch(k -> named.containsKey(k) || valid(root, x, m.get(k)));
                case "minProperties" -> m.size() >= whole(x);
                case "maxProperties" -> m.size() <= whole(x);
                default -> true;
            };
        }
        if (v instanceof List<?> l) {
            int first = schema.get("prefixItems") instanceof List<?> p ? p.size() : 0;
            return switch (word) {
                case "prefixItems" -> {
                    boolean all = true;
                    for (int i = 0; i < Math.min(first, l.size()); i++) {
                        all &= valid(root, ((List<?>) x).get(i), l.get(i));
                    }
                    yield all;
                }
                case "items" -> l.stream().skip(first).allMatch(item -> valid(root, x, item));
                case "minItems" -> l.size() >= whole(x);
                case "maxItems" -> l.size() <= whole(x);
                default -> true;
            };
        }
        if (v instanceof String s) {
            int length = s.codePointCount(0, s.length());
            return switch (word) {
                case "minLength" -> length >= whole(x);
                case "maxLength" -> length <= whole(x);
                case "pattern" -> Pattern.compile((String) x).matcher(s).find();
                case "format" -> format((String) x, s);
                default -> true;
            };
        }
        if (v instanceof BigDecimal n && x instanceof BigDecimal bound) {
            return switch (word) {
                case "minimum" -> n.compareTo(bound) >= 0;
                case "maximum" -> n.compareTo(bound) <= 0;
                case "exclusiveMinimum" -> n.compareTo(bound) > 0;
                case "exclusiveMaximum" -> n.compareTo(bound) < 0;
                default -> true;
            };
        }
        return true;
    }

    /** By what Java's own classes take for one. */
    private static boolean format(String name, String s) {
        try {
            switch (name) {
                case "date" -> java.time.LocalDate.parse(s);
                case "date-time" -> java.time.OffsetDateTime.parse(s);
                case "time" -> java.time.OffsetTime.parse(s);
                case "uuid" -> java.util.UUID.fromString(s);
                case "uri" -> java.net.URI.create(s);
                default -> throw new AssertionError(name);
            }
            return true;
        } catch (IllegalArgumentException | java.time.DateTimeException e) {
            return false;
        }
    }

    private static int whole(Object n) {
        return ((BigDecimal) n).intValueExact();
    }

    private static boolean type(@Nullable Object type, @Nullable Object v) {
        return switch ((String) Objects.requireNonNull(type)) {
            case "null" -> v == null;
            case "boolean" -> v instanceof Boolean;
            case "string" -> v instanceof String;
            case "number" -> v instanceof BigDecimal;
            case "integer" ->
                v instanceof BigDecimal n && n.stripTrailingZeros().scale() <= 0;
            case "array" -> v instanceof List;
            case "object" -> v instanceof Map;
            default -> throw new AssertionError(type);
        };
    }

    private static boolean same(@Nullable Object a, @Nullable Object b) {
        if (a instanceof BigDecimal x && b instanceof BigDecimal y) {
            return x.compareTo(y) == 0;
        }
        return Objects.equals(a, b);
    }
}
