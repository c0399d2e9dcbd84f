// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A tool that a model may ask for; the caller runs it.
 *
 * @param name of the tool
 * @param description what it does, for the model
 * @param parameters a JSON schema of its arguments, as maps, lists, texts, numbers and booleans
 */
public record ToolSpec(String name, String description, Map<String, ?> parameters) {
    /** Copies the map. */
    public ToolSpec {
        parameters = Messages.copy(parameters);
    }

    /** The form that chat templates expect. */
    Map<String, Object> asTemplateValue() {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", name);
        function.put("description", description);
        function.put("parameters", parameters);
        Map<String, Object> tool = new LinkedHashMap<>();
        tool.put("type", "function");
        tool.put("function", function);
        return tool;
    }
}
