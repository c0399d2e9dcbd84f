// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Two schemas that must hold together (allOf, or what stands beside anyOf and $ref), as one. */
final class SchemaMerge {
    /** Keywords that say something of the schema, nothing of the value. */
    static final Set<String> ANNOTATIONS = Set.of(
            "title",
            "description",
            "default",
            "examples",
            "example",
            "$schema",
            "$id",
            "$comment",
            "$defs",
            "definitions",
            "deprecated",
            "readOnly",
            "writeOnly",
            "$anchor");

    private static final Set<String> GREATEST =
            Set.of("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties");
    private static final Set<String> LEAST =
            Set.of("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties");

    private SchemaMerge() {}

    /** A value that no keyword of both contradicts; {@code where} is for messages. */
    static Map<String, @Nullable Object> of(Map<?, ?> a, Map<?, ?> b, String where) {
        Map<String, @Nullable Object> out = new LinkedHashMap<>();
        a.forEach((key, value) -> out.put((String) key, value));
        closedTo(a, b, where);
        closedTo(b, a, where);
        b.forEach((key, value) -> {
            String name = (String) key;
            if (!out.containsKey(name)) {
                out.put(name, value);
            } else if (!ANNOTATIONS.contains(name) && !Objects.equals(out.get(name), value)) {
                out.put(name, both(name, out.get(name), value, where));
            }
        });
        return out;
    }

    /** additionalProperties: false speaks of its own schema's properties alone. */
    private static void closedTo(Map<?, ?> closed, Map<?, ?> other, String where) {
        if (!Boolean.FALSE.equals(closed.get("additionalProperties"))
                || !(other.get("properties") instanceof Map<?, ?> more)) {
            return;
        }
        Set<?> own = closed.get("properties") instanceof Map<?, ?> p ? p.keySet() : Set.of();
        for (Object name : more.keySet()) {
            if (!own.contains(name)) {
                throw new IllegalArgumentException(
                        "the schema can't be used, at " + where + ": additionalProperties is "
                                + "false in one of its parts, which forbids the property \"" + name + "\" of another");
            }
        }
    }

    private static @Nullable Object both(String name, @Nullable Object x, @Nullable Object y, String where) {
        if (GREATEST.contains(name) && x instanceof BigDecimal a && y instanceof BigDecimal b) {
            return a.max(b);
        }
        if (LEAST.contains(name) && x instanceof BigDecimal a && y instanceof BigDecimal b) {
            return a.min(b);
        }
        Object merged = switch (name) {
            case "properties" -> x instanceof Map<?, ?> a && y instanceof Map<?, ?> b ? properties(a, b) : null;
            case "required" -> x instanceof List<?> a && y instanceof List<?> b ? union(a, b) : null;
            case "enum" -> x instanceof List<?> a && y instanceof List<?> b ? shared(a, b) : null;
            case "type" -> types(x, y);
            case "additionalProperties", "items" -> schemas(x, y);
            default -> null;
        };
        if (merged == null) {
            throw new IllegalArgumentException(
                    "the schema can't be used, at " + where + ": two schemas hold together here, " + "and their \""
                            + name + "\" differ; that is not supported");
        }
        return merged;
    }

    private static Map<String, @Nullable Object> properties(Map<?, ?> a, Map<?, ?> b) {
        Map<String, @Nullable Object> out = new LinkedHashMap<>();
        a.forEach((key, value) -> out.put((String) key, value));
        b.forEach((key, value) -> out.put((String) key, out.containsKey(key) ? schemas(out.get(key), value) : value));
        return out;
    }

    private static @Nullable Object schemas(@Nullable Object x, @Nullable Object y) {
        if (Objects.equals(x, y) || Boolean.TRUE.equals(y) || Boolean.FALSE.equals(x)) {
            return x;
        }
        if (Boolean.TRUE.equals(x) || Boolean.FALSE.equals(y)) {
            return y;
        }
        List<@Nullable Object> parts = new ArrayList<>();
        parts.add(x);
        parts.add(y);
        return Map.of("allOf", parts);
    }

    private static List<?> union(List<?> a, List<?> b) {
        Set<Object> out = new LinkedHashSet<>(a);
        out.addAll(b);
        return new ArrayList<>(out);
    }

    private static List<?> shared(List<?> a, List<?> b) {
        return a.stream().filter(b::contains).toList();
    }

    private static List<?> types(@Nullable Object x, @Nullable Object y) {
        List<?> a = x instanceof List<?> list ? list : List.of(String.valueOf(x));
        List<?> b = y instanceof List<?> list ? list : List.of(String.valueOf(y));
        Set<Object> out = new LinkedHashSet<>();
        for (Object type : a) {
            if (b.contains(type) || ("integer".equals(type) && b.contains("number"))) {
                out.add(type);
            } else if ("number".equals(type) && b.contains("integer")) {
                out.add("integer");
            }
        }
        return new ArrayList<>(out);
    }
}
