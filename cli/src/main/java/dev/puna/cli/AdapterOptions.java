// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Adapter;
import dev.puna.Chat;
import dev.puna.Model;
import dev.puna.Request;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** {@code --adapter}. */
final class AdapterOptions {
    @Spec(Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Option(
            names = "--adapter",
            paramLabel = "FILE[=WEIGHT]",
            description = "Use a low-rank adapter: a GGUF file, or a folder that PEFT saved; may be repeated. The"
                    + " weight says how much it counts (default: 1).")
    private List<String> values = new ArrayList<>();

    /**
     * One that was asked for.
     *
     * @param path its file or folder
     * @param weight what it counts
     */
    record Asked(Path path, float weight) {}

    /**
     * What was asked for, loaded; the model's closing closes them.
     *
     * @param all in their order
     * @param weights what each counts
     */
    record Loaded(List<Adapter> all, List<Float> weights) {
        <T extends Request<T>> T apply(T request) {
            each(request::adapter);
            return request;
        }

        Chat apply(Chat chat) {
            each(chat::adapter);
            return chat;
        }

        /** Of what is no request that generates: its method that takes an adapter and a weight. */
        void each(BiConsumer<Adapter, Float> use) {
            for (int i = 0; i < all.size(); i++) {
                use.accept(all.get(i), weights.get(i));
            }
        }

        /** For JSON. */
        List<Map<String, Object>> describe() {
            List<Map<String, Object>> rows = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) {
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("name", all.get(i).name());
                row.put("rank", all.get(i).rank());
                row.put("parameters", all.get(i).parameters());
                row.put("weight", weights.get(i));
                rows.add(row);
            }
            return rows;
        }
    }

    private List<Asked> asked() {
        return values.stream().map(this::parse).toList();
    }

    /** What stands behind the last "=" is a weight, unless all of it is a file. */
    private Asked parse(String value) {
        int sign = value.lastIndexOf('=');
        if (sign < 0 || Files.exists(Path.of(value))) {
            return new Asked(Path.of(value), 1);
        }
        try {
            float weight = Float.parseFloat(value.substring(sign + 1));
            if (Float.isFinite(weight)) {
                return new Asked(Path.of(value.substring(0, sign)), weight);
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw PunaCommand.wrong(command, "--adapter " + value + ": \"" + value.substring(sign + 1) + "\" is no weight");
    }

    /** Complains about what means nothing, before anything is fetched or loaded. */
    void check() {
        for (Asked one : asked()) {
            if (!Files.exists(one.path())) {
                throw PunaCommand.wrong(command, "--adapter: there is no file " + one.path());
            }
        }
    }

    Loaded open(Model model) {
        List<Asked> asked = asked();
        return new Loaded(
                asked.stream().map(one -> model.adapter(one.path())).toList(),
                asked.stream().map(Asked::weight).toList());
    }
}
