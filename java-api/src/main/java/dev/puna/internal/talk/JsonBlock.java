// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import java.util.List;

/**
 * JSON between two marks: Hermes and Qwen ({@code <tool_call>}), Granite and Phi ({@code <|tool_call|>}), Command R7B.
 *
 * @param open mark
 * @param close mark, or empty
 */
record JsonBlock(String open, String close) implements ToolFormat {
    @Override
    public List<Call> parse(String body, Tools tools) {
        return JsonCalls.read(body);
    }
}
