// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import dev.puna.internal.json.Json;
import java.lang.reflect.Type;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Java type as JSON. Records are objects, in the order of their components; components that are Optional or carry
 * an annotation called Nullable may be left out; a sealed interface of records is any of them, with its simple name as
 * "type". Immutable; any thread.
 */
public final class Mapping {
    private final Shape shape;

    private Mapping(Shape shape) {
        this.shape = shape;
    }

    /**
     * Looks at a type.
     *
     * @param type a class, or a generic type whose arguments are all known
     * @return its mapping
     * @throws IllegalArgumentException with what is not supported, and where; or with the line that a module-info lacks
     */
    public static Mapping of(Type type) {
        return new Mapping(new Shapes().of(type));
    }

    /** {@return the type's JSON schema: maps and lists in the order of the source, to be changed at will} */
    public Map<String, Object> schema() {
        return Schemas.of(shape);
    }

    /**
     * {@return the same for those who write answers by it: whole numbers say how wide they are, as format int8 to
     * int64}
     */
    public Map<String, Object> form() {
        return Schemas.of(shape, true);
    }

    /**
     * Makes a value of the type.
     *
     * @param json plain values, as {@link Json} reads them
     * @return the value
     * @throws IllegalArgumentException with where and what is wrong
     */
    public Object read(@Nullable Object json) {
        return Reading.read(shape, json, "");
    }

    /**
     * Makes a value of the type.
     *
     * @param json a text
     * @return the value
     * @throws IllegalArgumentException with where and what is wrong
     */
    public Object readText(String json) {
        return read(Json.parse(json));
    }

    /**
     * A value as plain values.
     *
     * @param value of any type; one without a form of its own becomes its text
     * @return what {@link Json#write} takes
     */
    public static @Nullable Object write(@Nullable Object value) {
        return Writing.write(value, 0);
    }
}
