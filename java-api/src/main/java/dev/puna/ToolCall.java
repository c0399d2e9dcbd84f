// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.Map;

/**
 * A model's wish that a tool be called.
 *
 * @param id ties the result to the call; may be empty
 * @param name of the tool
 * @param arguments by name: texts, numbers, booleans, null, lists and maps of these
 */
public record ToolCall(String id, String name, Map<String, ?> arguments) {
    /** Copies the map. */
    public ToolCall {
        arguments = Messages.copy(arguments);
    }
}
