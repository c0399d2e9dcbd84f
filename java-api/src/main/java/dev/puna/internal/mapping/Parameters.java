// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import dev.puna.Param;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The parameters of a method as a JSON object. Immutable; any thread. */
public final class Parameters {
    private final Shape.Fields shape;

    private Parameters(Shape.Fields shape) {
        this.shape = shape;
    }

    /**
     * Looks at a method's parameters.
     *
     * @param method compiled with its parameters' names, or with {@link Param}
     * @return them
     * @throws IllegalArgumentException with the parameter that is not supported; or if the names are not known
     */
    public static Parameters of(Method method) {
        String where = method.getDeclaringClass().getSimpleName() + "." + method.getName();
        Shapes shapes = new Shapes();
        List<Shape.Field> fields = new ArrayList<>();
        for (Parameter parameter : method.getParameters()) {
            Param given = parameter.getAnnotation(Param.class);
            if (given == null && !parameter.isNamePresent()) {
                throw new IllegalArgumentException("the names of the parameters of " + where + " are not in its class"
                        + " file: compile with -parameters, or name them with @Param");
            }
            String name = given == null ? parameter.getName() : given.value();
            if (fields.stream().anyMatch(field -> field.name().equals(name))) {
                throw new IllegalArgumentException(where + " has two parameters called " + name);
            }
            try {
                Shape value = shapes.of(parameter.getParameterizedType());
                fields.add(shapes.field(name, value, parameter, parameter.getAnnotatedType(), null));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(where + ", " + name + ": " + e.getMessage(), e);
            }
        }
        Shape.Fields shape = new Shape.Fields(method.getName(), "", values -> values);
        shape.fields = List.copyOf(fields);
        return new Parameters(shape);
    }

    /**
     * Makes a method callable from here.
     *
     * @param method a user's
     * @throws IllegalArgumentException with the line that the user's module-info lacks
     */
    public static void open(Method method) {
        Records.open(method, method.getDeclaringClass());
    }

    /** {@return the JSON schema of an object with a field for each parameter} */
    public Map<String, Object> schema() {
        return Schemas.of(shape);
    }

    /**
     * The arguments of a call.
     *
     * @param json by name
     * @return in the parameters' order
     * @throws IllegalArgumentException with what is wrong, for the model to read
     */
    public @Nullable Object[] read(Map<String, ?> json) {
        return Reading.values(shape, json, "");
    }
}
