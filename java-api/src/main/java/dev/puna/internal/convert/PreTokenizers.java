// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.internal.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/**
 * Which tokenizer.ggml.pre stands for the pre_tokenizer of a tokenizer.json: by its definition, step for step.
 * (llama.cpp encodes a text with the whole tokenizer and knows a list of results, which no other vocabulary gives.) The
 * definitions are those of tools/vocabularies.py, written down by tools/record_pre_tokenizers.py.
 */
final class PreTokenizers {
    private static final String RESOURCE = "pre_tokenizers.txt";
    private static final int MOST_STEPS = 64;

    private PreTokenizers() {}

    /** By definition; read once. */
    private static final class Known {
        static final Map<String, String> NAMES = read();

        private Known() {}

        private static Map<String, String> read() {
            Map<String, String> names = new LinkedHashMap<>();
            try (InputStream in = PreTokenizers.class.getResourceAsStream(RESOURCE)) {
                String all = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
                all.lines().filter(line -> !line.startsWith("#")).forEach(line -> {
                    int tab = line.indexOf('\t');
                    Config step = Config.of(RESOURCE, "", Json.parse(line.substring(tab + 1)));
                    names.putIfAbsent(form(step).toString(), line.substring(0, tab));
                });
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return names;
        }
    }

    /** The name, for a model's architecture; it takes into account what the names stand for besides. */
    static String name(Config tokenizer, String architecture) {
        List<String> steps =
                tokenizer.has("pre_tokenizer") ? form(tokenizer.object("pre_tokenizer")) : List.of("nothing");
        String found = Known.NAMES.get(steps.toString());
        if (found == null) {
            throw Damage.unsupported(
                    tokenizer.file(),
                    "pre_tokenizer",
                    "its steps " + Damage.quote(steps.toString()) + " are none that are known; if it is that of another"
                            + " model, name that one's tokenizer.ggml.pre: "
                            + String.join(", ", new TreeSet<>(Known.NAMES.values())));
        }
        boolean composes = composes(tokenizer);
        boolean whole = tokenizer.object("model").truth("ignore_merges", false);
        return switch (found) {
            case "gpt-2" ->
                architecture.equals("bert")
                        ? "roberta-bpe"
                        : composes ? "olmo" : architecture.equals("phi2") ? "phi-2" : "gpt-2";
            case "smollm" -> composes ? "command-r" : architecture.equals("starcoder2") ? "starcoder" : "smollm";
            case "llama-bpe" -> whole ? "llama-bpe" : "dbrx";
            case "qwen2" -> !composes ? "megrez" : architecture.equals("stablelm") ? "stablelm2" : "qwen2";
            default -> found;
        };
    }

    /** Whether letters and marks are composed before anything else. */
    private static boolean composes(Config tokenizer) {
        Config normalizer = tokenizer.object("normalizer");
        List<Config> all = new ArrayList<>(List.of(normalizer));
        for (Object step : normalizer.list("normalizers")) {
            all.add(Config.of(tokenizer.file(), "normalizer", step));
        }
        return all.stream().anyMatch(step -> step.text("type", "").equals("NFC"));
    }

    /** The steps in one spelling. */
    private static List<String> form(Config step) {
        List<String> steps = new ArrayList<>();
        addForm(step, steps);
        return steps;
    }

    private static void addForm(Config step, List<String> to) {
        if (to.size() > MOST_STEPS) {
            throw step.wrong("pre_tokenizer", "has more than " + MOST_STEPS + " steps");
        }
        String type = step.text("type", "");
        switch (type) {
            case "Sequence" -> {
                for (Object inner : step.list("pretokenizers")) {
                    addForm(Config.of(step.file(), "pre_tokenizer", inner), to);
                }
            }
            case "Split" -> to.add(split(step));
            case "ByteLevel" ->
                to.add("bytes" + (step.truth("use_regex", true) ? " of words" : "")
                        + (step.truth("add_prefix_space", true) ? " behind a space" : ""));
            case "Digits" -> to.add("digits" + (step.truth("individual_digits", false) ? ", each" : ""));
            case "Punctuation" -> to.add("punctuation " + step.text("behavior", "Isolated"));
            default -> to.add(type + " " + new LinkedHashMap<>(step.map()).keySet());
        }
    }

    private static String split(Config step) {
        Config pattern = step.object("pattern");
        String text = pattern.has("Regex")
                ? pattern.text("Regex")
                : "\\Q" + pattern.text("String", "") + "\\E"; // a text, not a pattern
        String behavior = step.text("behavior", "Isolated");
        boolean inverted = step.truth("invert", false);
        if (behavior.equals("Removed") && inverted) { // what matches stays: the same where everything matches
            return "cut at " + text;
        }
        return (behavior.equals("Isolated") && !inverted
                        ? "cut at "
                        : "cut, " + behavior + (inverted ? "!" : "") + ", at ")
                + text;
    }
}
