// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.json.Json;
import dev.puna.internal.mapping.Mapping;
import dev.puna.internal.mapping.Parameters;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A user's method as a tool.
 *
 * @param target whose method it is
 * @param method made accessible
 * @param parameters of it
 * @param spec what the model is told
 */
record ToolMethod(Object target, Method method, Parameters parameters, ToolSpec spec) {
    /** All methods of an object that are tools, by name. */
    static List<ToolMethod> of(Object target) {
        List<ToolMethod> tools = new ArrayList<>();
        for (Class<?> type = target.getClass(); type != null; type = type.getSuperclass()) {
            for (Method method : type.getDeclaredMethods()) {
                Tool tool = method.getAnnotation(Tool.class);
                if (tool != null && !method.isBridge()) {
                    tools.add(of(target, method, tool));
                }
            }
        }
        if (tools.isEmpty()) {
            throw new IllegalArgumentException(
                    target.getClass().getName() + " has no method with @Tool, and is no ToolSpec");
        }
        tools.sort(Comparator.comparing(one -> one.spec.name())); // reflection knows no order
        return tools;
    }

    private static ToolMethod of(Object target, Method method, Tool tool) {
        Parameters.open(method);
        Parameters parameters = Parameters.of(method);
        String name = tool.name().isEmpty() ? method.getName() : tool.name();
        return new ToolMethod(target, method, parameters, new ToolSpec(name, tool.value(), parameters.schema()));
    }

    /**
     * Calls it.
     *
     * @throws IllegalArgumentException if the arguments don't fit, for the model to read
     * @throws InvocationTargetException with what the method threw
     */
    String call(Map<String, ?> arguments) throws InvocationTargetException {
        @Nullable Object[] values = parameters.read(arguments);
        Object result;
        try {
            result = method.invoke(target, values);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e); // it was made accessible
        }
        if (method.getReturnType() == void.class) {
            return "done";
        }
        return result instanceof String text ? text : Json.write(Mapping.write(result));
    }
}
