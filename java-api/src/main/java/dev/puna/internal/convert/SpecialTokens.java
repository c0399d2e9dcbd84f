// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that stand for something, and whether a text gets them: of tokenizer_config.json, the post_processor of
 * tokenizer.json, config.json and generation_config.json, the first that says it. One thread.
 */
final class SpecialTokens {
    private static final Map<String, String> KEYS = new LinkedHashMap<>();

    static {
        KEYS.put("bos", "bos_token_id");
        KEYS.put("eos", "eos_token_id");
        KEYS.put("unk", "unknown_token_id");
        KEYS.put("sep", "seperator_token_id"); // GGUF's own spelling
        KEYS.put("pad", "padding_token_id");
        KEYS.put("mask", "mask_token_id");
        KEYS.put("eot", "eot_token_id");
    }

    private final Folder folder;
    private final Config config;
    private final Config tokenizer;
    private final Tokens tokens;
    private final Map<String, String> names = new HashMap<>();
    private final Map<String, Integer> ids = new LinkedHashMap<>();
    private final Map<String, Boolean> added = new LinkedHashMap<>();

    SpecialTokens(Folder folder, Config config, Config tokenizer, Tokens tokens) {
        this.folder = folder;
        this.config = config;
        this.tokenizer = tokenizer;
        this.tokens = tokens;
    }

    /** What another file of the vocabulary knows; counts where no other says it. */
    void fallback(String type, int id) {
        fallbacks.put(type, id);
    }

    private final Map<String, Integer> fallbacks = new HashMap<>();

    void write(Entries e) {
        Config settings = folder.optional("tokenizer_config.json");
        readNames(settings);
        readPostProcessor();
        readAdded(settings);
        names.forEach((type, name) -> note(type, tokens.find(name)));
        Config generation = folder.optional("generation_config.json");
        readIds(config);
        readIds(generation);
        readEnds(generation);
        fallbacks.forEach(this::note);
        KEYS.forEach((type, key) -> {
            Integer id = ids.get(type);
            if (id != null) {
                e.unsigned("tokenizer.ggml." + key, id);
            }
        });
        added.forEach((type, truth) -> {
            String key = "tokenizer.ggml.add_" + type + "_token";
            if (!e.has(key)) {
                e.truth(key, truth);
            }
        });
    }

    private void note(String type, int id) {
        if (id >= 0 && id < tokens.size()) {
            ids.putIfAbsent(type, id);
        }
    }

    private static @Nullable String name(Config from, String key) {
        Object value = from.value(key);
        if (value instanceof Map<?, ?> token) { // with settings of its own
            return token.get("content") instanceof String content ? content : null;
        }
        return value instanceof String text ? text : null;
    }

    private void readNames(Config settings) {
        Config map = folder.optional("special_tokens_map.json");
        for (String type : List.of("bos", "eos", "unk", "sep", "pad", "cls", "mask")) {
            String name = name(settings, type + "_token");
            name = name == null ? name(map, type + "_token") : name;
            if (name != null) {
                names.put(type, name);
            }
        }
        if (names.containsKey("cls")) {
            names.putIfAbsent("bos", names.get("cls"));
        }
        if (names.containsKey("sep")) {
            names.putIfAbsent("eos", names.get("sep"));
        }
    }

    private void readPostProcessor() {
        if (!tokenizer.has("post_processor")) {
            return;
        }
        Config all = tokenizer.object("post_processor");
        List<Config> steps = new ArrayList<>();
        if (all.has("processors")) {
            all.list("processors").forEach(step -> steps.add(Config.of(all.file(), "post_processor", step)));
        } else {
            steps.add(all);
        }
        for (Config step : steps) {
            switch (step.text("type", "")) {
                case "ByteLevel" -> {
                    added.putIfAbsent("bos", false);
                    added.putIfAbsent("eos", false);
                }
                case "RobertaProcessing", "BertProcessing" -> {
                    List.of("bos", "eos", "sep").forEach(type -> added.put(type, true));
                    pair(step, "cls");
                    pair(step, "sep");
                }
                case "TemplateProcessing" -> readTemplate(step);
                default -> {}
            }
        }
    }

    private void pair(Config step, String type) {
        List<?> pair = step.list(type);
        if (!pair.isEmpty() && pair.getFirst() instanceof String name) {
            names.putIfAbsent(type, name);
            names.putIfAbsent(type.equals("cls") ? "bos" : "eos", name);
        }
    }

    /** The token that a template's step is, or null where it is a text. */
    private static @Nullable String special(Config template, Object step) {
        return Config.of(template.file(), "post_processor", step)
                .object("SpecialToken")
                .text("id");
    }

    private void readTemplate(Config template) {
        List<?> single = template.list("single");
        if (single.size() < 2) {
            return;
        }
        String first = special(template, single.getFirst());
        if (first != null) {
            names.putIfAbsent("bos", first);
            added.put("bos", first.equals(names.get("bos")) || first.equals(names.get("cls")));
        }
        String last = special(template, single.getLast());
        if (last != null) {
            String end = names.put("eos", last);
            if (end != null && !end.equals(last)) { // a text ends otherwise than an answer does
                names.put("eot", end);
            }
            added.put("eos", true);
        }
        readPair(template, last);
    }

    /** Whether two texts are kept apart by a token: A, that token, B. */
    private void readPair(Config template, @Nullable String last) {
        List<String> tokensBetween = new ArrayList<>();
        boolean between = false;
        for (Object step : template.list("pair")) {
            Config parsed = Config.of(template.file(), "post_processor", step);
            String sequence = parsed.object("Sequence").text("id");
            String token = parsed.object("SpecialToken").text("id");
            if (sequence != null) {
                between = sequence.equals("A");
            } else if (between && token != null) {
                tokensBetween.add(token);
            }
        }
        if (tokensBetween.isEmpty()) {
            return;
        }
        boolean separates = tokensBetween.size() > 1 || last == null;
        added.put(
                "sep",
                separates
                        && tokensBetween.stream()
                                .anyMatch(t -> t.equals(names.get("sep")) || t.equals(names.get("eos"))));
    }

    private void readAdded(Config settings) {
        for (String type : List.of("bos", "eos", "sep")) {
            if (settings.value("add_" + type + "_token") instanceof Boolean truth) {
                added.putIfAbsent(type, truth);
            }
        }
    }

    private void readIds(Config from) {
        for (String type : List.of("bos", "eos", "unk", "sep", "pad", "mask")) {
            Object value = from.value(type + "_token_id");
            if (value instanceof List<?> several && !several.isEmpty()) {
                value = several.getFirst();
            }
            if (value instanceof Long id && id >= 0 && id < tokens.size()) {
                note(type, id.intValue());
            }
        }
    }

    /** A model may have several tokens that end an answer: the first that is not the end of a text ends a turn. */
    private void readEnds(Config generation) {
        if (!(generation.value("eos_token_id") instanceof List<?> several)) {
            return;
        }
        for (Object value : several) {
            boolean plain = value instanceof Long id && id >= 0 && id < tokens.size();
            if (plain && !value.equals(Long.valueOf(ids.getOrDefault("eos", -1)))) {
                note("eot", ((Long) value).intValue());
            }
        }
    }
}
