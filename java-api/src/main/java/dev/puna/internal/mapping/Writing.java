// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Writes values as plain JSON values, by what they are. A value without a form of its own is its text. */
final class Writing {
    private static final int MAX_DEPTH = 100;

    private Writing() {}

    static @Nullable Object write(@Nullable Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("a value is nested more than " + MAX_DEPTH + " deep");
        }
        return switch (value) {
            case null -> null;
            case String _, Boolean _, Byte _, Short _, Integer _, Long _, BigInteger _ -> value;
            case Float number -> Float.isFinite(number) ? value : value.toString();
            case Double number -> Double.isFinite(number) ? value : value.toString();
            case BigDecimal number -> number.toString();
            case Enum<?> constant -> constant.name();
            case Optional<?> optional -> write(optional.orElse(null), depth);
            case OptionalInt optional -> optional.isPresent() ? (Object) optional.getAsInt() : null;
            case OptionalLong optional -> optional.isPresent() ? (Object) optional.getAsLong() : null;
            case OptionalDouble optional -> write(optional.isPresent() ? optional.getAsDouble() : null, depth);
            case Map<?, ?> map -> {
                Map<String, @Nullable Object> written = new LinkedHashMap<>();
                map.forEach((name, item) -> written.put(String.valueOf(name), write(item, depth + 1)));
                yield written;
            }
            case Iterable<?> list
            when !(value instanceof java.nio.file.Path) -> {
                List<@Nullable Object> written = new ArrayList<>();
                list.forEach(item -> written.add(write(item, depth + 1)));
                yield written;
            }
            case Record record -> record(record, depth);
            default -> value.getClass().isArray() ? array(value, depth) : value.toString();
        };
    }

    private static List<@Nullable Object> array(Object array, int depth) {
        List<@Nullable Object> written = new ArrayList<>();
        for (int i = 0; i < Array.getLength(array); i++) {
            written.add(write(Array.get(array, i), depth + 1));
        }
        return written;
    }

    private static Map<String, @Nullable Object> record(Record record, int depth) {
        Map<String, @Nullable Object> written = new LinkedHashMap<>();
        if (isCase(record.getClass())) {
            written.put(Shape.Cases.TYPE, record.getClass().getSimpleName());
        }
        for (Records.Component component : Records.of(record.getClass()).components()) {
            written.put(component.name(), write(component.get(record), depth + 1));
        }
        return written;
    }

    private static boolean isCase(Class<?> type) {
        for (Class<?> parent : type.getInterfaces()) {
            if (parent.isSealed()) {
                return true;
            }
        }
        return false;
    }
}
