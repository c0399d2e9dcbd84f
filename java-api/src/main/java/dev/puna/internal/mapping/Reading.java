// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import dev.puna.internal.json.Json;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON into values of a shape. A model is forgiven what has one meaning only: a number in quotes, 5.0 for a whole
 * number, a constant in other letters, an object inside a text. Everything else is an IllegalArgumentException that
 * says where and what was wanted: it may be told to the model.
 */
final class Reading {
    private Reading() {}

    static Object read(Shape shape, @Nullable Object json, String where) {
        if (shape instanceof Shape.Maybe maybe) {
            return maybe.make().apply(json == null ? null : read(maybe.of(), json, where));
        }
        if (json == null) {
            throw wrong(where, "null is not possible here");
        }
        return switch (shape) {
            case Shape.Anything _ -> json;
            case Shape.Text text -> text(text, json, where);
            case Shape.Whole whole -> whole(whole, json, where);
            case Shape.Decimal decimal -> decimal(decimal, json, where);
            case Shape.Truth _ -> truth(json, where);
            case Shape.Choice choice -> choice(choice, json, where);
            case Shape.Items items -> items(items, json, where);
            case Shape.Entries entries -> entries(entries, json, where);
            case Shape.Fields fields -> fields(fields, map(json, where), where);
            case Shape.Cases cases -> cases(cases, map(json, where), where);
            case Shape.Maybe maybe -> throw new IllegalStateException(maybe.toString()); // was read above
        };
    }

    static IllegalArgumentException wrong(String where, String why) {
        return new IllegalArgumentException(where.isEmpty() ? why : where + ": " + why);
    }

    private static Object text(Shape.Text shape, Object json, String where) {
        String text = switch (json) {
            case String given -> given;
            case Number number -> number.toString();
            case Boolean truth -> truth.toString();
            default -> throw wrong(where, "a text is wanted, not " + Json.write(json));
        };
        try {
            return shape.parse().apply(text);
        } catch (RuntimeException e) {
            throw wrong(where, Json.write(text) + " is no " + shape.type().getSimpleName());
        }
    }

    private static BigDecimal number(Object json, String where) {
        try {
            return switch (json) {
                case Number number -> new BigDecimal(number.toString());
                case String text when text.length() < 100 -> new BigDecimal(text.strip());
                default -> throw wrong(where, "a number is wanted, not " + Json.write(json));
            };
        } catch (NumberFormatException e) {
            throw wrong(where, "a number is wanted, not " + Json.write(json));
        }
    }

    private static Object whole(Shape.Whole shape, Object json, String where) {
        Class<?> type = shape.type();
        BigDecimal number = number(json, where);
        if (Math.abs((long) number.scale()) > 2000) {
            throw wrong(where, "the number " + json + " is too far from one");
        }
        try {
            BigInteger exact = number.toBigIntegerExact();
            if (type == BigInteger.class) {
                return exact;
            }
            if (type == int.class || type == Integer.class) {
                return exact.intValueExact();
            }
            if (type == long.class || type == Long.class) {
                return exact.longValueExact();
            }
            return type == short.class || type == Short.class
                    ? (Object) exact.shortValueExact()
                    : (Object) exact.byteValueExact();
        } catch (ArithmeticException e) {
            throw wrong(where, "a whole number of type " + type.getSimpleName() + " is wanted, not " + json);
        }
    }

    private static Object decimal(Shape.Decimal shape, Object json, String where) {
        Class<?> type = shape.type();
        BigDecimal number = number(json, where);
        if (type == Number.class) {
            return json instanceof Number given ? given : number;
        }
        boolean single = type == float.class || type == Float.class;
        Object value = single ? (Object) number.floatValue() : (Object) number.doubleValue();
        if (!Double.isFinite(((Number) value).doubleValue())) {
            throw wrong(where, "the number " + number + " does not fit a " + type.getSimpleName());
        }
        return value;
    }

    private static Object truth(Object json, String where) {
        return switch (json) {
            case Boolean given -> given;
            case String text when text.strip().equalsIgnoreCase("true") -> true;
            case String text when text.strip().equalsIgnoreCase("false") -> false;
            default -> throw wrong(where, "true or false is wanted, not " + Json.write(json));
        };
    }

    private static Object choice(Shape.Choice shape, Object json, String where) {
        if (json instanceof String text) {
            List<Enum<?>> alike = new ArrayList<>();
            for (Enum<?> constant : shape.constants()) {
                if (constant.name().equals(text)) {
                    return constant;
                }
                if (constant.name().equalsIgnoreCase(text.strip())) {
                    alike.add(constant);
                }
            }
            if (alike.size() == 1) {
                return alike.getFirst();
            }
        }
        throw wrong(where, "one of " + shape.constants() + " is wanted, not " + Json.write(json));
    }

    /** Some models write an object or a list into a text. */
    private static @Nullable Object unquoted(Object json) {
        if (json instanceof String text
                && (text.strip().startsWith("{") || text.strip().startsWith("["))) {
            try {
                return Json.parse(text);
            } catch (IllegalArgumentException e) {
                return json; // and is refused as a text
            }
        }
        return json;
    }

    private static Object items(Shape.Items shape, Object json, String where) {
        if (!(unquoted(json) instanceof List<?> list)) {
            throw wrong(where, "a list is wanted, not " + Json.write(json));
        }
        List<@Nullable Object> items = new ArrayList<>();
        for (Object item : list) {
            items.add(read(shape.item(), item, where + "[" + items.size() + "]"));
        }
        return shape.make().apply(items);
    }

    private static Map<?, ?> map(Object json, String where) {
        if (unquoted(json) instanceof Map<?, ?> map) {
            return map;
        }
        throw wrong(where, "an object is wanted, not " + Json.write(json));
    }

    private static Object entries(Shape.Entries shape, Object json, String where) {
        Map<String, Object> values = new LinkedHashMap<>();
        map(json, where)
                .forEach((name, value) ->
                        values.put((String) name, read(shape.value(), value, inside(where, (String) name))));
        return Collections.unmodifiableMap(values);
    }

    private static String inside(String where, String name) {
        return where.isEmpty() ? name : where + "." + name;
    }

    private static Object fields(Shape.Fields shape, Map<?, ?> json, String where) {
        return shape.make.apply(values(shape, json, where));
    }

    /** The values of all fields in order. */
    static @Nullable Object[] values(Shape.Fields shape, Map<?, ?> json, String where) {
        List<String> names = shape.fields.stream().map(Shape.Field::name).toList();
        for (Object name : json.keySet()) {
            if (!names.contains(name)) {
                throw wrong(where, "there is no \"" + name + "\" here, but " + names);
            }
        }
        @Nullable Object[] values = new @Nullable Object[names.size()];
        for (int i = 0; i < values.length; i++) {
            Shape.Field field = shape.fields.get(i);
            Object value = json.get(field.name());
            if (value == null && field.needed()) {
                throw wrong(where, "\"" + field.name() + "\" is missing");
            }
            boolean nothing = value == null && !(field.shape() instanceof Shape.Maybe);
            values[i] = nothing ? null : read(field.shape(), value, inside(where, field.name()));
        }
        return values;
    }

    private static Object cases(Shape.Cases shape, Map<?, ?> json, String where) {
        for (Shape.Fields one : shape.cases) {
            if (one.name.equals(json.get(Shape.Cases.TYPE))) {
                Map<Object, Object> rest = new LinkedHashMap<>(json);
                rest.remove(Shape.Cases.TYPE);
                return fields(one, rest, where);
            }
        }
        List<String> names = shape.cases.stream().map(one -> one.name).toList();
        throw wrong(where, "\"" + Shape.Cases.TYPE + "\" must be one of " + names);
    }
}
