// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import dev.puna.internal.json.Json;
import java.util.ArrayList;
import java.util.List;

/**
 * Mistral: {@code [TOOL_CALLS][{...}, ...]}, and since 2025 {@code [TOOL_CALLS]name[CALL_ID]id[ARGS]{...}}, repeated.
 * The marks are control tokens of its vocabularies.
 */
record MistralCalls() implements ToolFormat {
    private static final String OPEN = "[TOOL_CALLS]";
    private static final String ID = "[CALL_ID]";
    private static final String ARGUMENTS = "[ARGS]";

    @Override
    public String open() {
        return OPEN;
    }

    @Override
    public String close() {
        return "";
    }

    @Override
    public List<String> inner() {
        return List.of(ID, ARGUMENTS);
    }

    @Override
    public List<Call> parse(String body, Tools tools) {
        String rest = body.strip();
        if (rest.startsWith("[") || rest.startsWith("{")) {
            return JsonCalls.read(rest);
        }
        List<Call> calls = new ArrayList<>();
        while (!rest.isEmpty()) {
            int brace = rest.indexOf('{');
            if (brace < 0) {
                throw new IllegalArgumentException("a call has no arguments");
            }
            String head = rest.substring(0, brace).replace(ARGUMENTS, "").strip();
            int id = head.indexOf(ID);
            String name = (id < 0 ? head : head.substring(0, id)).strip();
            if (name.isEmpty() || name.contains("[") || name.contains(" ")) {
                throw new IllegalArgumentException("a call has no name");
            }
            Json.Prefix arguments = Json.prefix(rest.substring(brace));
            calls.add(new Call(
                    id < 0 ? "" : head.substring(id + ID.length()).strip(),
                    name,
                    JsonCalls.arguments(arguments.value())));
            rest = rest.substring(brace + arguments.end()).strip();
            rest = rest.startsWith(OPEN) ? rest.substring(OPEN.length()).strip() : rest;
        }
        if (calls.isEmpty()) {
            throw new IllegalArgumentException("no call is there");
        }
        return calls;
    }
}
