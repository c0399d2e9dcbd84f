// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import dev.puna.internal.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Calls as JSON objects with a name and arguments, one or a list of them: the common core of most formats. The names
 * of the fields differ between families.
 */
final class JsonCalls {
    private JsonCalls() {}

    /** Reads an object, a list of them, or several values behind one another, with semicolons or nothing between. */
    static List<Call> read(String body) {
        List<Call> calls = new ArrayList<>();
        String rest = body.strip();
        while (!rest.isEmpty()) {
            Json.Prefix value = Json.prefix(rest);
            if (value.value() instanceof List<?> list) {
                list.forEach(item -> calls.add(call(item)));
            } else {
                calls.add(call(value.value()));
            }
            rest = rest.substring(value.end()).strip();
            if (rest.startsWith(";")) {
                rest = rest.substring(1).strip();
            }
        }
        if (calls.isEmpty()) {
            throw new IllegalArgumentException("no call is there");
        }
        return calls;
    }

    private static Call call(@Nullable Object value) {
        if (!(value instanceof Map<?, ?> object)) {
            throw new IllegalArgumentException("a call is no object");
        }
        if (object.get("function") instanceof Map<?, ?> function) {
            return call(function); // the form of OpenAI's API
        }
        Object name = first(object, "name", "tool_name", "function");
        if (!(name instanceof String text) || text.isBlank()) {
            throw new IllegalArgumentException("a call has no name");
        }
        Object id = first(object, "id", "tool_call_id");
        return new Call(
                id instanceof String given ? given : "", text, arguments(first(object, "arguments", "parameters")));
    }

    private static @Nullable Object first(Map<?, ?> object, String... names) {
        for (String name : names) {
            if (object.get(name) instanceof Object value) {
                return value;
            }
        }
        return null;
    }

    /** An object, or the text of one, or nothing. */
    static Map<String, ?> arguments(@Nullable Object value) {
        Object read = value instanceof String text ? text.isBlank() ? null : Json.parse(text) : value;
        if (read == null) {
            return Map.of();
        }
        if (!(read instanceof Map<?, ?> map)) {
            throw new IllegalArgumentException("a call's arguments are no object");
        }
        Map<String, Object> arguments = new LinkedHashMap<>();
        map.forEach((name, item) -> arguments.put((String) name, item));
        return arguments;
    }
}
