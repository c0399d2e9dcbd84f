// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** BERT's vocabularies, GGUF's "bert": a token that begins a word has a mark in front, one within a word has none. */
final class WordPieceVocabulary {
    private static final String WITHIN = "##";
    private static final List<String> CONTROL = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]");

    private WordPieceVocabulary() {}

    private static String spelled(String token) {
        return token.startsWith(WITHIN) ? token.substring(WITHIN.length()) : "\u2581" + token;
    }

    static SpecialTokens write(Vocabulary vocabulary, Config json) {
        Config model = json.object("model");
        String within = model.text("continuing_subword_prefix", WITHIN);
        if (!within.equals(WITHIN)) {
            throw Damage.unsupported(
                    json.file(), "continuing_subword_prefix", "\"" + Damage.quote(within) + "\" is not ##");
        }
        Config vocab = model.object("vocab");
        Tokens tokens = new Tokens(json.file(), vocabulary.size());
        for (Map.Entry<String, @Nullable Object> token : vocab.map().entrySet()) {
            tokens.set(vocab.integer(token.getKey()), spelled(token.getKey()), Tokens.NORMAL, 0);
        }
        for (Object item : json.list("added_tokens")) {
            Config token = Config.of(json.file(), "added_tokens", item);
            String text = token.text("content", "");
            boolean control = token.truth("special", false) || Tokens.looksSpecial(text);
            tokens.set(
                    token.integer("id"),
                    control ? text : spelled(text),
                    control ? Tokens.CONTROL : Tokens.USER_DEFINED,
                    0);
        }
        finish(vocabulary, tokens);
        normalizer(vocabulary.entries(), json.object("normalizer"));
        return vocabulary.special(json, tokens);
    }

    private static void finish(Vocabulary vocabulary, Tokens tokens) {
        vocabulary.kind("bert", vocabulary.preOr("bert-bge"));
        tokens.write(vocabulary.entries(), false, "\u2581");
    }

    private static void normalizer(Entries e, Config normalizer) {
        if (normalizer.has("lowercase")) {
            e.truth("tokenizer.ggml.normalizer.lowercase", normalizer.truth("lowercase", true));
        }
        if (normalizer.has("strip_accents")) {
            e.truth("tokenizer.ggml.normalizer.strip_accents", normalizer.truth("strip_accents", true));
        }
    }

    /** A token a line. */
    static SpecialTokens write(Vocabulary vocabulary, String lines) {
        Tokens tokens = new Tokens("vocab.txt", vocabulary.size());
        int id = 0;
        for (String line : lines.split("\r?\n", -1)) {
            if (line.isEmpty() && id > 0 && id >= vocabulary.size()) {
                continue; // behind the last line's end
            }
            if (!line.isEmpty()) {
                boolean control = CONTROL.contains(line);
                tokens.set(id, control ? line : spelled(line), control ? Tokens.CONTROL : Tokens.NORMAL, 0);
            }
            id++;
        }
        finish(vocabulary, tokens);
        Config settings = vocabulary.folder().optional("tokenizer_config.json");
        if (settings.has("do_lower_case")) {
            vocabulary.entries().truth("tokenizer.ggml.normalizer.lowercase", settings.truth("do_lower_case", true));
        }
        if (settings.has("strip_accents")) {
            vocabulary
                    .entries()
                    .truth("tokenizer.ggml.normalizer.strip_accents", settings.truth("strip_accents", true));
        }
        SpecialTokens special = vocabulary.special(Config.none("tokenizer.json"), tokens);
        special.fallback("bos", tokens.find("[CLS]"));
        special.fallback("eos", tokens.find("[SEP]"));
        special.fallback("sep", tokens.find("[SEP]"));
        special.fallback("pad", tokens.find("[PAD]"));
        special.fallback("unk", tokens.find("[UNK]"));
        special.fallback("mask", tokens.find("[MASK]"));
        return special;
    }
}
