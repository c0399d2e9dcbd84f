// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A type with all its variables known: equal ones are the same type, however reflection spelled them.
 *
 * @param raw the class; of an array, the array's
 * @param arguments of a generic class; of an array, its item's type
 */
record Typed(Class<?> raw, List<Typed> arguments) {
    /**
     * Resolves a type.
     *
     * @throws IllegalArgumentException if a variable has no value
     */
    static Typed of(Type type, Map<TypeVariable<?>, Typed> variables) {
        return switch (type) {
            case Class<?> raw when raw.isArray() -> array(of(raw.getComponentType(), variables));
            case Class<?> raw -> new Typed(raw, List.of());
            case GenericArrayType array -> array(of(array.getGenericComponentType(), variables));
            case ParameterizedType generic ->
                new Typed(
                        (Class<?>) generic.getRawType(),
                        Stream.of(generic.getActualTypeArguments())
                                .map(argument -> of(argument, variables))
                                .toList());
            case WildcardType wildcard -> of(wildcard.getUpperBounds()[0], variables);
            case TypeVariable<?> variable when variables.get(variable) instanceof Typed known -> known;
            default ->
                throw new IllegalArgumentException("the type " + type + " is not known here: name it in full, as in"
                        + " new TypeRef<List<City>>() {}");
        };
    }

    private static Typed array(Typed item) {
        return new Typed(item.raw.arrayType(), List.of(item));
    }

    /** The variables of the class, with their values here. */
    Map<TypeVariable<?>, Typed> variables() {
        Map<TypeVariable<?>, Typed> values = new HashMap<>();
        TypeVariable<?>[] names = raw.getTypeParameters();
        for (int i = 0; i < names.length && i < arguments.size(); i++) {
            values.put(names[i], arguments.get(i));
        }
        return values;
    }

    /** An argument, or any type where the class was named without. */
    Typed argument(int index) {
        return index < arguments.size() ? arguments.get(index) : new Typed(Object.class, List.of());
    }

    /** A short name, of letters, digits and lines. */
    String name() {
        StringBuilder name = new StringBuilder(raw.getSimpleName().replace("[]", ""));
        for (Typed argument : arguments) {
            name.append('_').append(argument.name());
        }
        return name.toString();
    }
}
