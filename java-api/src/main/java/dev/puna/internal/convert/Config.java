// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.InvalidModelException;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A JSON object of a folder. A field that is null counts as missing; one of another kind is damage. Immutable. */
final class Config {
    private final String file;
    private final Map<String, @Nullable Object> map;

    Config(String file, Map<String, @Nullable Object> map) {
        this.file = file;
        this.map = map;
    }

    /** An object without fields. */
    static Config none(String file) {
        return new Config(file, Map.of());
    }

    @SuppressWarnings("unchecked") // what Json reads has texts as names
    static Config of(String file, String field, @Nullable Object value) {
        if (!(value instanceof Map<?, ?> found)) {
            throw Damage.in(file, field, "is no object");
        }
        return new Config(file, (Map<String, @Nullable Object>) found);
    }

    String file() {
        return file;
    }

    Map<String, @Nullable Object> map() {
        return map;
    }

    InvalidModelException wrong(String field, String why) {
        return Damage.in(file, field, why);
    }

    boolean has(String name) {
        return map.get(name) != null;
    }

    /** The first that there is of several names. */
    @Nullable
    String first(String... names) {
        for (String name : names) {
            if (has(name)) {
                return name;
            }
        }
        return null;
    }

    @Nullable
    Object value(String name) {
        return map.get(name);
    }

    /** A whole number, 0 to 2^31 - 1. */
    int integer(String name) {
        if (!(map.get(name) instanceof Long number) || number < 0 || number > Integer.MAX_VALUE) {
            throw wrong(name, has(name) ? "is no whole number from 0 to 2147483647" : "is missing");
        }
        return number.intValue();
    }

    int integer(String name, int fallback) {
        return has(name) ? integer(name) : fallback;
    }

    /** The first that there is of several names; at least 1. */
    int need(String... names) {
        String name = first(names);
        if (name == null) {
            throw wrong(names[0], "is missing");
        }
        int number = integer(name);
        if (number == 0) {
            throw wrong(name, "is 0");
        }
        return number;
    }

    double real(String name) {
        double number = map.get(name) instanceof Number found ? found.doubleValue() : Double.NaN;
        if (!Double.isFinite(number) || Math.abs(number) > Float.MAX_VALUE) {
            throw wrong(name, has(name) ? "is no number of a float's range" : "is missing");
        }
        return number;
    }

    double real(String name, double fallback) {
        return has(name) ? real(name) : fallback;
    }

    boolean truth(String name, boolean fallback) {
        Object value = map.get(name);
        if (value != null && !(value instanceof Boolean)) {
            throw wrong(name, "is neither true nor false");
        }
        return value == null ? fallback : (Boolean) value;
    }

    @Nullable
    String text(String name) {
        Object value = map.get(name);
        if (value != null && !(value instanceof String)) {
            throw wrong(name, "is no text");
        }
        return (String) value;
    }

    String text(String name, String fallback) {
        String found = text(name);
        return found == null ? fallback : found;
    }

    /** An array; empty if it is missing. */
    List<?> list(String name) {
        Object value = map.get(name);
        if (value != null && !(value instanceof List)) {
            throw wrong(name, "is no array");
        }
        return value == null ? List.of() : (List<?>) value;
    }

    List<String> texts(String name) {
        return list(name).stream()
                .map(item -> {
                    if (!(item instanceof String text)) {
                        throw wrong(name, "holds something that is no text");
                    }
                    return text;
                })
                .toList();
    }

    /** An object; one without fields if it is missing. */
    Config object(String name) {
        return has(name) ? of(file, name, map.get(name)) : none(file);
    }

    /** These fields, and the other's where it has them. */
    Config with(Config other) {
        Map<String, @Nullable Object> both = new LinkedHashMap<>(map);
        other.map.forEach((name, value) -> {
            if (value != null) {
                both.put(name, value);
            }
        });
        return new Config(file, both);
    }

    /** A number as it is written, for metadata of any kind. */
    static boolean isWhole(Object number) {
        return number instanceof Long
                || number instanceof BigDecimal exact
                        && exact.stripTrailingZeros().scale() <= 0;
    }
}
