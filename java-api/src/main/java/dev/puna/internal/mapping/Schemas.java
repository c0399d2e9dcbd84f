// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes shapes as JSON schema. A record that is used once stands where it is used; one that is used more often, or
 * contains itself, is defined once under $defs. Names keep the order of the source.
 */
final class Schemas {
    private final Map<Shape, Integer> uses = new HashMap<>();
    private final Map<Shape, String> names = new HashMap<>();
    private final Set<String> taken = new HashSet<>();
    private final Map<String, Object> definitions = new LinkedHashMap<>();

    private Schemas() {}

    static Map<String, Object> of(Shape root) {
        Schemas schemas = new Schemas();
        schemas.count(root);
        Map<String, Object> schema = schemas.reference(root);
        if (!schemas.definitions.isEmpty()) {
            schema.put("$defs", schemas.definitions);
        }
        return schema;
    }

    private void count(Shape shape) {
        switch (shape) {
            case Shape.Items items -> count(items.item());
            case Shape.Entries entries -> count(entries.value());
            case Shape.Maybe maybe -> count(maybe.of());
            case Shape.Fields fields -> {
                if (uses.merge(fields, 1, Integer::sum) == 1) {
                    fields.fields.forEach(field -> count(field.shape()));
                }
            }
            case Shape.Cases cases -> {
                if (uses.merge(cases, 1, Integer::sum) == 1) {
                    // a case stands inside, since there it has one field more than alone
                    cases.cases.forEach(one -> one.fields.forEach(field -> count(field.shape())));
                }
            }
            default -> {} // has no parts
        }
    }

    /** A shape where it is used. */
    private Map<String, Object> reference(Shape shape) {
        if (uses.getOrDefault(shape, 0) < 2) {
            return body(shape);
        }
        String name = names.get(shape);
        if (name == null) {
            name = free(shape instanceof Shape.Fields fields ? fields.name : ((Shape.Cases) shape).name);
            names.put(shape, name); // before its body, which may use it
            Map<String, Object> definition = new LinkedHashMap<>();
            definitions.put(name, definition);
            definition.putAll(body(shape));
        }
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("$ref", "#/$defs/" + name);
        return schema;
    }

    private String free(String wanted) {
        String name = wanted;
        for (int i = 2; !taken.add(name); i++) {
            name = wanted + i;
        }
        return name;
    }

    private Map<String, Object> body(Shape shape) {
        Map<String, Object> schema = new LinkedHashMap<>();
        switch (shape) {
            case Shape.Anything _ -> {}
            case Shape.Text text -> {
                schema.put("type", "string");
                if (text.format().equals("character")) {
                    schema.put("minLength", 1);
                    schema.put("maxLength", 1);
                } else if (!text.format().isEmpty()) {
                    schema.put("format", text.format());
                }
            }
            case Shape.Whole _ -> schema.put("type", "integer");
            case Shape.Decimal _ -> schema.put("type", "number");
            case Shape.Truth _ -> schema.put("type", "boolean");
            case Shape.Choice choice -> {
                schema.put("type", "string");
                schema.put("enum", choice.constants().stream().map(Enum::name).toList());
            }
            case Shape.Items items -> {
                schema.put("type", "array");
                schema.put("items", reference(items.item()));
                if (items.distinct()) {
                    schema.put("uniqueItems", true);
                }
            }
            case Shape.Entries entries -> {
                schema.put("type", "object");
                schema.put("additionalProperties", reference(entries.value()));
            }
            case Shape.Maybe maybe -> schema.putAll(reference(maybe.of()));
            case Shape.Fields fields -> object(schema, fields, "");
            case Shape.Cases cases -> {
                describe(schema, cases.description);
                List<Map<String, Object>> all = new ArrayList<>();
                for (Shape.Fields one : cases.cases) {
                    Map<String, Object> item = new LinkedHashMap<>();
                    object(item, one, one.name);
                    all.add(item);
                }
                schema.put("anyOf", all);
            }
        }
        return schema;
    }

    private void object(Map<String, Object> schema, Shape.Fields fields, String type) {
        schema.put("type", "object");
        describe(schema, fields.description);
        Map<String, Object> properties = new LinkedHashMap<>();
        List<String> needed = new ArrayList<>();
        if (!type.isEmpty()) {
            properties.put(Shape.Cases.TYPE, Map.of("const", type));
            needed.add(Shape.Cases.TYPE);
        }
        for (Shape.Field field : fields.fields) {
            Map<String, Object> property = reference(field.shape());
            describe(property, field.description());
            properties.put(field.name(), property);
            if (field.needed()) {
                needed.add(field.name());
            }
        }
        schema.put("properties", properties);
        schema.put("required", needed);
        schema.put("additionalProperties", false);
    }

    private static void describe(Map<String, Object> schema, String description) {
        if (!description.isEmpty()) {
            schema.put("description", description);
        }
    }
}
