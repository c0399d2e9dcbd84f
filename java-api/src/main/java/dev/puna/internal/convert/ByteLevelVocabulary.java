// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Byte-level BPE, GGUF's "gpt2": tokens and merges. */
final class ByteLevelVocabulary {
    /** What the older tokenizers took for control tokens without being told. */
    private static final List<String> USUAL = List.of("<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>");

    private ByteLevelVocabulary() {}

    static SpecialTokens write(Vocabulary vocabulary, Config json) {
        Config model = json.object("model");
        Tokens tokens = tokens(vocabulary, model.object("vocab"));
        Vocabulary.addAll(json, tokens, 0);
        vocabulary.kind("gpt2", vocabulary.pre(json));
        tokens.write(vocabulary.entries(), false);
        vocabulary.entries().texts("tokenizer.ggml.merges", merges(model));
        return vocabulary.special(json, tokens);
    }

    private static Tokens tokens(Vocabulary vocabulary, Config vocab) {
        Tokens tokens = new Tokens(vocab.file(), vocabulary.size());
        for (Map.Entry<String, @Nullable Object> token : vocab.map().entrySet()) {
            tokens.set(vocab.integer(token.getKey()), token.getKey(), Tokens.NORMAL, 0);
        }
        return tokens;
    }

    /** "left right", or, since tokens may hold spaces, pairs of them. */
    static List<String> merges(Config model) {
        List<String> merges = new ArrayList<>();
        for (Object item : model.list("merges")) {
            if (item instanceof String text) {
                merges.add(text);
            } else if (item instanceof List<?> pair
                    && pair.size() == 2
                    && pair.get(0) instanceof String left
                    && pair.get(1) instanceof String right) {
                // a byte-level vocabulary spells a space as U+0120
                merges.add(left.replace(' ', '\u0120') + " " + right.replace(' ', '\u0120'));
            } else {
                throw model.wrong("merges", "merge " + merges.size() + " is neither a text nor a pair of texts");
            }
        }
        return merges;
    }

    /** The older files; they say nothing of how words are cut. */
    static SpecialTokens write(Vocabulary vocabulary, Config vocab, String mergesFile) {
        Tokens tokens = tokens(vocabulary, vocab);
        Config added = vocabulary.folder().optional("added_tokens.json");
        for (String token : added.map().keySet()) {
            tokens.add(added.integer(token), token, true, 0);
        }
        Config settings = vocabulary.folder().optional("tokenizer_config.json");
        addDecoded(settings, tokens);
        for (String token : USUAL) {
            int id = tokens.find(token);
            if (id >= 0) {
                tokens.set(id, token, Tokens.CONTROL, 0);
            }
        }
        vocabulary.kind(
                "gpt2", vocabulary.preOr(usual(settings.text("tokenizer_class", ""), vocabulary.architecture())));
        tokens.write(vocabulary.entries(), false);
        List<String> merges = new ArrayList<>();
        mergesFile
                .lines()
                .filter(line -> !line.startsWith("#version") && !line.isBlank())
                .forEach(line -> {
                    if (line.strip().split(" ").length != 2) {
                        throw Damage.in(
                                "merges.txt",
                                "line " + (merges.size() + 1),
                                "is not two tokens: " + Damage.quote(line));
                    }
                    merges.add(line.strip());
                });
        vocabulary.entries().texts("tokenizer.ggml.merges", merges);
        SpecialTokens special = vocabulary.special(Config.none("tokenizer.json"), tokens);
        special.fallback("eos", tokens.find("<|endoftext|>"));
        special.fallback("bos", tokens.find("<|endoftext|>"));
        return special;
    }

    /** What tokenizer_config.json says of added tokens. */
    static void addDecoded(Config settings, Tokens tokens) {
        Config decoder = settings.object("added_tokens_decoder");
        for (String id : decoder.map().keySet()) {
            if (!id.matches("\\d{1,9}")) {
                throw settings.wrong("added_tokens_decoder", "has the id \"" + Damage.quote(id) + "\"");
            }
            Config token = decoder.object(id);
            if (Integer.parseInt(id) < tokens.size()) {
                tokens.add(Integer.parseInt(id), token.text("content", ""), token.truth("special", false), -1000);
            }
        }
    }

    private static String usual(String tokenizer, String architecture) {
        if (architecture.equals("bert")) {
            return "roberta-bpe";
        }
        return tokenizer.startsWith("Qwen2") || architecture.startsWith("qwen") ? "qwen2" : "gpt-2";
    }
}
