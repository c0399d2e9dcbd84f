// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import java.util.Map;

/**
 * The tools that were offered, as far as reading calls needs them.
 *
 * @param schemas of the parameters, by the tool's name
 */
public record Tools(Map<String, Map<String, ?>> schemas) {
    /** None. */
    public static final Tools NONE = new Tools(Map.of());

    /** Copies the map. */
    public Tools {
        schemas = Map.copyOf(schemas);
    }

    /** Whether a parameter is a text, so that what looks like a number or an object stays one. */
    boolean isText(String tool, String parameter) {
        Map<String, ?> schema = schemas.get(tool);
        return schema != null
                && schema.get("properties") instanceof Map<?, ?> properties
                && properties.get(parameter) instanceof Map<?, ?> property
                && "string".equals(property.get("type"));
    }
}
