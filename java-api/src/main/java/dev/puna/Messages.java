// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Messages as chat templates expect them: maps with role and content, as in transformers. */
final class Messages {
    private Messages() {}

    /** A copy in the same order that nobody changes; values may be null, as in JSON. */
    static Map<String, ?> copy(Map<String, ?> values) {
        return Collections.unmodifiableMap(new LinkedHashMap<String, Object>(values));
    }

    static List<Map<String, Object>> asTemplateValues(List<? extends Message> messages) {
        List<Map<String, Object>> values = new ArrayList<>();
        messages.forEach(message -> values.add(asTemplateValue(message)));
        return values;
    }

    private static Map<String, Object> asTemplateValue(Message message) {
        Map<String, Object> value = new LinkedHashMap<>();
        switch (message) {
            case Message.System system -> put(value, "system", system);
            case Message.User user -> put(value, "user", user);
            case Message.Assistant assistant -> {
                put(value, "assistant", assistant);
                if (assistant.reasoning() != null) {
                    value.put("reasoning_content", assistant.reasoning());
                }
                if (!assistant.toolCalls().isEmpty()) {
                    value.put("tool_calls", calls(assistant.toolCalls()));
                }
            }
            case Message.ToolResult result -> {
                put(value, "tool", result);
                if (!result.callId().isEmpty()) {
                    value.put("tool_call_id", result.callId());
                }
                if (!result.name().isEmpty()) {
                    value.put("name", result.name());
                }
            }
        }
        return value;
    }

    /** Text is a plain string, its parts joined: that is what every template understands. */
    private static void put(Map<String, Object> value, String role, Message message) {
        value.put("role", role);
        value.put("content", message.text());
    }

    private static List<Map<String, Object>> calls(List<ToolCall> calls) {
        List<Map<String, Object>> values = new ArrayList<>();
        for (ToolCall call : calls) {
            Map<String, Object> function = new LinkedHashMap<>();
            function.put("name", call.name());
            function.put("arguments", call.arguments());
            Map<String, Object> value = new LinkedHashMap<>();
            if (!call.id().isEmpty()) {
                value.put("id", call.id());
            }
            value.put("type", "function");
            value.put("function", function);
            values.add(value);
        }
        return values;
    }
}
