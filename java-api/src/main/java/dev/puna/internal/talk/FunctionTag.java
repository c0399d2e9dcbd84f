// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import dev.puna.internal.json.Json;
import java.util.List;

/** Functionary 3.1 and Llama 3.1's custom calls: {@code <function=NAME>{"key": value}</function>}. */
record FunctionTag() implements ToolFormat {
    @Override
    public String open() {
        return "<function=";
    }

    @Override
    public String close() {
        return "</function>";
    }

    @Override
    public List<Call> parse(String body, Tools tools) {
        int end = body.indexOf('>');
        if (end < 1) {
            throw new IllegalArgumentException("a function has no name");
        }
        String arguments = body.substring(end + 1);
        return List.of(new Call(
                "",
                body.substring(0, end).strip(),
                JsonCalls.arguments(arguments.isBlank() ? null : Json.parse(arguments))));
    }
}
