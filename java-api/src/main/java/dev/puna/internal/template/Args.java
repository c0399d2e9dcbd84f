// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The arguments of one call, by position and by name. */
record Args(List<Value> positional, Map<String, Value> named) {
    static final Args NONE = new Args(List.of(), Map.of());

    static Args of(Value... values) {
        return new Args(List.of(values), Map.of());
    }

    /** The arguments after the first ones. */
    Args skip(int count) {
        return new Args(positional.subList(Math.min(count, positional.size()), positional.size()), named);
    }

    /**
     * Matches the arguments to a function's parameters as Python does.
     *
     * @param function its name, for the error
     * @param required how many of the parameters must be there
     */
    Bound bind(String function, int required, String... parameters) {
        if (positional.size() > parameters.length) {
            throw new Failure(function + "() takes at most " + parameters.length + " arguments, " + positional.size()
                    + " were given");
        }
        List<@Nullable Value> values = new ArrayList<>();
        Map<String, Value> left = new LinkedHashMap<>(named);
        for (int i = 0; i < parameters.length; i++) {
            Value byName = left.remove(parameters[i]);
            if (i < positional.size() && byName != null) {
                throw new Failure(function + "() got the argument '" + parameters[i] + "' twice");
            }
            Value value = i < positional.size() ? positional.get(i) : byName;
            if (value == null && i < required) {
                throw new Failure(function + "() misses its argument '" + parameters[i] + "'");
            }
            values.add(value);
        }
        if (!left.isEmpty()) {
            throw new Failure(
                    function + "() has no argument '" + left.keySet().iterator().next() + "'");
        }
        return new Bound(function, values);
    }

    /** Arguments in the order of the parameters; those left out are null. */
    record Bound(String function, List<@Nullable Value> values) {
        boolean has(int i) {
            return values.get(i) != null;
        }

        Value get(int i) {
            return or(i, Value.None.NONE);
        }

        Value or(int i, Value otherwise) {
            Value value = values.get(i);
            return value == null ? otherwise : value;
        }

        boolean given(int i) {
            return or(i, Value.None.NONE) != Value.None.NONE;
        }

        boolean truth(int i, boolean otherwise) {
            return Values.truthy(or(i, Value.Bool.of(otherwise)));
        }

        int integer(int i, int otherwise) {
            return Values.integer(or(i, Value.Int.of(otherwise)), function + "()");
        }

        Str text(int i, String otherwise) {
            Value value = or(i, Str.own(otherwise));
            if (value instanceof Str str) {
                return str;
            }
            throw new Failure(function + "() needs a text, not " + Values.typeName(value));
        }
    }
}
