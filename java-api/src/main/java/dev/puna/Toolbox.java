// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.talk.Tools;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The tools of a request: some run by the loop, some by the caller. Immutable. */
final class Toolbox {
    static final Toolbox EMPTY = new Toolbox(Map.of(), Map.of());

    private final Map<String, ToolSpec> specs; // all, in order
    private final Map<String, ToolMethod> methods;

    private Toolbox(Map<String, ToolSpec> specs, Map<String, ToolMethod> methods) {
        this.specs = specs;
        this.methods = methods;
    }

    /** These and more. */
    Toolbox plus(Iterable<?> tools) {
        Map<String, ToolSpec> all = new LinkedHashMap<>(specs);
        Map<String, ToolMethod> run = new HashMap<>(methods);
        for (Object tool : tools) {
            if (tool instanceof ToolSpec spec) {
                add(all, spec);
                continue;
            }
            for (ToolMethod method : ToolMethod.of(tool)) {
                add(all, method.spec());
                run.put(method.spec().name(), method);
            }
        }
        return new Toolbox(all, run);
    }

    /** These, and those of another one. */
    Toolbox plus(Toolbox other) {
        Map<String, ToolSpec> all = new LinkedHashMap<>(specs);
        other.specs.values().forEach(spec -> add(all, spec));
        Map<String, ToolMethod> run = new HashMap<>(methods);
        run.putAll(other.methods);
        return new Toolbox(all, run);
    }

    private static void add(Map<String, ToolSpec> all, ToolSpec spec) {
        if (all.put(spec.name(), spec) != null) {
            throw new IllegalArgumentException("two tools are called " + spec.name());
        }
    }

    boolean isEmpty() {
        return specs.isEmpty();
    }

    /** Whether there is one that the loop runs. */
    boolean runs() {
        return !methods.isEmpty();
    }

    @Nullable
    ToolMethod method(String name) {
        return methods.get(name);
    }

    /** Whether the caller runs it. */
    boolean isCallers(String name) {
        return specs.containsKey(name) && !methods.containsKey(name);
    }

    List<String> names() {
        return List.copyOf(specs.keySet());
    }

    List<Map<String, Object>> templateValues() {
        List<Map<String, Object>> values = new ArrayList<>();
        specs.values().forEach(spec -> values.add(spec.asTemplateValue()));
        return values;
    }

    Tools schemas() {
        Map<String, Map<String, ?>> schemas = new HashMap<>();
        specs.forEach((name, spec) -> schemas.put(name, spec.parameters()));
        return new Tools(schemas);
    }
}
