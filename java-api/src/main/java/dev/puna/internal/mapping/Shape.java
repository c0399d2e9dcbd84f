// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a type looks like as JSON. Shapes form a graph: a record may contain itself, so that {@link Fields} and {@link
 * Cases} are filled after they were made. Complete ones are immutable.
 */
sealed interface Shape {
    /** Any JSON value. */
    record Anything() implements Shape {}

    /**
     * A text.
     *
     * @param type its Java type, for sentences
     * @param format of JSON schema, or of ours where that has none; empty for any text
     * @param parse makes the value; throws a RuntimeException for a text of another form
     */
    record Text(Class<?> type, String format, Function<String, Object> parse) implements Shape {}

    /**
     * A whole number.
     *
     * @param type byte, short, int, long, or BigInteger
     */
    record Whole(Class<?> type) implements Shape {}

    /**
     * A number.
     *
     * @param type float or double
     */
    record Decimal(Class<?> type) implements Shape {}

    /** True or false. */
    record Truth() implements Shape {}

    /**
     * An enum.
     *
     * @param type the enum
     * @param constants in order
     */
    record Choice(Class<?> type, List<Enum<?>> constants) implements Shape {}

    /**
     * A list, a set or an array.
     *
     * @param make makes it of a list of its items
     * @param distinct whether it is a set
     * @param item of each
     */
    record Items(Function<List<@Nullable Object>, Object> make, boolean distinct, Shape item) implements Shape {}

    /**
     * A map whose keys are texts.
     *
     * @param value of each
     */
    record Entries(Shape value) implements Shape {}

    /**
     * Something that may be left out.
     *
     * @param make makes an optional of the value, or of null
     * @param of what may be there
     */
    record Maybe(Function<@Nullable Object, Object> make, Shape of) implements Shape {}

    /**
     * A field of an object.
     *
     * @param name of it
     * @param shape of its value
     * @param description for the model, or empty
     * @param needed whether it may not be left out
     * @param get reads it from an object; null for parameters, which nobody reads
     */
    record Field(
            String name,
            Shape shape,
            String description,
            boolean needed,
            @Nullable Function<Object, @Nullable Object> get) {}

    /** An object: a record, or the parameters of a method. */
    final class Fields implements Shape {
        final String name;
        final String description;
        final Function<@Nullable Object[], Object> make;
        List<Field> fields = List.of();

        Fields(String name, String description, Function<@Nullable Object[], Object> make) {
            this.name = name;
            this.description = description;
            this.make = make;
        }
    }

    /** One of several records, told apart by the field "type". */
    final class Cases implements Shape {
        static final String TYPE = "type";

        final String name;
        final String description;
        List<Fields> cases = List.of();

        Cases(String name, String description) {
            this.name = name;
            this.description = description;
        }
    }
}
