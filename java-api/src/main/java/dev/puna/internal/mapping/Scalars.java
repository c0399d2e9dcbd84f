// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

/** The shapes of types without parts. */
final class Scalars {
    /** By type. */
    static final Map<Class<?>, Shape> ALL = all();

    private Scalars() {}

    private static Map<Class<?>, Shape> all() {
        Map<Class<?>, Shape> all = new HashMap<>();
        all.put(Object.class, new Shape.Anything());
        text(all, String.class, "", text -> text);
        text(all, CharSequence.class, "", text -> text);
        text(all, Character.class, "character", Scalars::character);
        text(all, char.class, "character", Scalars::character);
        text(all, LocalDate.class, "date", LocalDate::parse);
        text(all, LocalTime.class, "local-time", LocalTime::parse);
        text(all, LocalDateTime.class, "local-date-time", LocalDateTime::parse);
        text(all, OffsetDateTime.class, "date-time", OffsetDateTime::parse);
        text(all, Instant.class, "date-time", text -> OffsetDateTime.parse(text).toInstant());
        text(all, Duration.class, "duration", Duration::parse);
        text(all, URI.class, "uri", URI::create);
        text(all, UUID.class, "uuid", UUID::fromString);
        text(all, BigDecimal.class, "decimal", BigDecimal::new);
        for (Class<?> type : new Class<?>[] {
            byte.class,
            Byte.class,
            short.class,
            Short.class,
            int.class,
            Integer.class,
            long.class,
            Long.class,
            BigInteger.class
        }) {
            all.put(type, new Shape.Whole(type));
        }
        for (Class<?> type : new Class<?>[] {float.class, Float.class, double.class, Double.class, Number.class}) {
            all.put(type, new Shape.Decimal(type));
        }
        all.put(boolean.class, new Shape.Truth());
        all.put(Boolean.class, new Shape.Truth());
        return Map.copyOf(all);
    }

    private static void text(Map<Class<?>, Shape> all, Class<?> type, String format, Function<String, Object> parse) {
        all.put(type, new Shape.Text(type, format, parse));
    }

    private static Object character(String text) {
        if (text.length() != 1) {
            throw new IllegalArgumentException("one character is wanted");
        }
        return text.charAt(0);
    }
}
