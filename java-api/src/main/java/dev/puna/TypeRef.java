// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;

/**
 * A type with its arguments, for {@link Request#as(TypeRef)}.
 *
 * <pre>{@code
 * List<City> cities = chat.user("Three cities, please.").as(new TypeRef<List<City>>() {});
 * }</pre>
 *
 * Immutable.
 *
 * @param <T> the type
 */
public abstract class TypeRef<T> {
    private final Type type;

    /** A subclass without a body names the type. */
    protected TypeRef() {
        if (!(getClass().getGenericSuperclass() instanceof ParameterizedType named)) {
            throw new IllegalArgumentException("a TypeRef needs its type: new TypeRef<List<City>>() {}");
        }
        type = named.getActualTypeArguments()[0];
    }

    /** {@return the type that was named} */
    public final Type type() {
        return type;
    }

    @Override
    public final String toString() {
        return type.getTypeName();
    }
}
