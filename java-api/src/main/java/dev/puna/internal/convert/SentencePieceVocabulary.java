// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** SentencePiece's vocabularies by BPE, GGUF's "llama": of its own model file, or as tokenizer.json tells them. */
final class SentencePieceVocabulary {
    private static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");
    private static final float ADDED = -1000;

    private SentencePieceVocabulary() {}

    static SpecialTokens write(Vocabulary vocabulary, SentencePieceModel model, Config json) {
        if (model.type() == SentencePieceModel.UNIGRAM) {
            return UnigramVocabulary.write(vocabulary, model);
        }
        Folder folder = vocabulary.folder();
        Tokens tokens = new Tokens("tokenizer.model", vocabulary.size());
        addPieces(model, tokens);
        Config added = folder.optional("added_tokens.json");
        for (String token : added.map().keySet()) {
            int id = added.integer(token);
            if (id < tokens.size()) {
                tokens.set(id, token, Tokens.USER_DEFINED, ADDED);
            }
        }
        Config settings = folder.optional("tokenizer_config.json");
        if (!settings.has("added_tokens_decoder")) {
            Vocabulary.addAll(json, tokens, ADDED);
        }
        ByteLevelVocabulary.addDecoded(settings, tokens);
        keepUnknown(model.unknown(), tokens);
        vocabulary.kind("llama", "default");
        tokens.write(vocabulary.entries(), true);
        vocabulary
                .entries()
                .truth("tokenizer.ggml.add_space_prefix", settings.truth("add_prefix_space", model.prefix()));
        if (model.removesSpaces()) {
            vocabulary.entries().truth("tokenizer.ggml.remove_extra_whitespaces", true);
        }
        return named(vocabulary.special(json, tokens), model);
    }

    /** The token for what nothing else stands for stays it, whatever else is said of it. */
    private static void keepUnknown(int id, Tokens tokens) {
        if (id >= 0 && id < tokens.size() && tokens.kind(id) == Tokens.CONTROL) {
            tokens.set(id, tokens.text(id), Tokens.UNKNOWN, 0);
        }
    }

    static SpecialTokens named(SpecialTokens special, SentencePieceModel model) {
        special.fallback("bos", model.begin());
        special.fallback("eos", model.end());
        special.fallback("unk", model.unknown());
        special.fallback("pad", model.padding());
        return special;
    }

    static void addPieces(SentencePieceModel model, Tokens tokens) {
        List<SentencePieceModel.Piece> pieces = model.pieces();
        for (int id = 0; id < Math.min(pieces.size(), tokens.size()); id++) {
            SentencePieceModel.Piece piece = pieces.get(id);
            if (piece.kind() == Tokens.USER_DEFINED) { // spelled as it stands in a text
                String text = new String(piece.text(), java.nio.charset.StandardCharsets.UTF_8);
                tokens.set(id, text.replace('\u2581', ' '), Tokens.USER_DEFINED, piece.score());
            } else {
                tokens.set(id, piece.text(), piece.kind(), piece.score());
            }
        }
    }

    /** A piece's score counts by its order alone: the earlier a merge makes it, the higher. */
    static SpecialTokens write(Vocabulary vocabulary, Config json) {
        Config model = json.object("model");
        Config vocab = model.object("vocab");
        Tokens tokens = new Tokens(json.file(), vocabulary.size());
        Map<String, Integer> ranks = ranks(model);
        for (Map.Entry<String, @Nullable Object> token : vocab.map().entrySet()) {
            String text = token.getKey();
            int kind = BYTE.matcher(text).matches() ? Tokens.BYTE : Tokens.NORMAL;
            Integer rank = ranks.get(text);
            tokens.set(vocab.integer(text), text, kind, rank == null ? kind == Tokens.BYTE ? 0 : -ranks.size() : -rank);
        }
        Vocabulary.addAll(json, tokens, ADDED);
        String unknown = model.text("unk_token");
        int unknownId = unknown == null ? -1 : tokens.find(unknown);
        keepUnknown(unknownId, tokens);
        vocabulary.kind("llama", "default");
        tokens.write(vocabulary.entries(), true);
        vocabulary.entries().truth("tokenizer.ggml.add_space_prefix", hasPrefix(json));
        SpecialTokens special = vocabulary.special(json, tokens);
        if (unknownId >= 0) {
            special.fallback("unk", unknownId);
        }
        return special;
    }

    private static Map<String, Integer> ranks(Config model) {
        Map<String, Integer> ranks = new HashMap<>();
        int rank = 0;
        for (Object item : model.list("merges")) {
            String merged;
            if (item instanceof String text) {
                merged = text.replaceFirst(" ", "");
            } else if (item instanceof List<?> pair && pair.size() == 2) {
                merged = String.valueOf(pair.get(0)) + pair.get(1);
            } else {
                throw model.wrong("merges", "merge " + rank + " is neither a text nor a pair of texts");
            }
            ranks.putIfAbsent(merged, rank++);
        }
        return ranks;
    }

    /** Whether a text gets a space in front: by its normalizer, or by the mark of spaces. */
    private static boolean hasPrefix(Config json) {
        return prepends(json, json.value("normalizer")) || prepends(json, json.value("pre_tokenizer"));
    }

    private static boolean prepends(Config json, @Nullable Object value) {
        if (!(value instanceof Map<?, ?>)) {
            return false;
        }
        Config step = Config.of(json.file(), "normalizer", value);
        return switch (step.text("type", "")) {
            case "Prepend" -> true;
            case "Metaspace" ->
                !step.text("prepend_scheme", step.truth("add_prefix_space", true) ? "always" : "never")
                        .equals("never");
            case "Sequence" -> {
                String list = step.has("normalizers") ? "normalizers" : "pretokenizers";
                yield step.list(list).stream().anyMatch(inner -> prepends(json, inner));
            }
            default -> false;
        };
    }
}
