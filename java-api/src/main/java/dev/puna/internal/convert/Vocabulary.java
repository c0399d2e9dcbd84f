// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.InvalidModelException;
import dev.puna.ModelNotFoundException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The vocabulary of a folder, whichever files hold it: tokenizer.json, a SentencePiece model, vocab.json with
 * merges.txt, or vocab.txt. One thread.
 */
final class Vocabulary {
    private static final String JSON = "tokenizer.json";

    private final Folder folder;
    private final Config config;
    private final String architecture;
    private final int size;
    private final @Nullable String pre;
    private final Entries entries;

    /** Writes a vocabulary of `size` tokens to the entries; `pre`: the name of its way of cutting words, or null. */
    Vocabulary(Folder folder, Config config, String architecture, int size, @Nullable String pre, Entries entries) {
        this.folder = folder;
        this.config = config;
        this.architecture = architecture;
        this.size = size;
        this.pre = pre;
        this.entries = entries;
    }

    void write() {
        Config json = folder.optional(JSON);
        String type = json.object("model").text("type", json.object("model").has("merges") ? "BPE" : "");
        String pieces = folder.first("tokenizer.model", "spiece.model", "sentencepiece.bpe.model");
        SentencePieceModel model = pieces == null || isByteLevel(json) ? null : read(pieces, json);
        SpecialTokens special;
        if (model != null && (model.type() == SentencePieceModel.BPE || type.isEmpty())) {
            special = SentencePieceVocabulary.write(this, model, json);
        } else if (type.equals("BPE") && isByteLevel(json)) {
            special = ByteLevelVocabulary.write(this, json);
        } else if (type.equals("BPE")) {
            special = SentencePieceVocabulary.write(this, json);
        } else if (type.equals("Unigram")) {
            special = UnigramVocabulary.write(this, json);
        } else if (type.equals("WordPiece")) {
            special = WordPieceVocabulary.write(this, json);
        } else if (!type.isEmpty()) {
            throw Damage.unsupported(
                    JSON, "model", "a tokenizer of the type " + Damage.quote(type) + " is not converted");
        } else if (folder.has("vocab.json") && folder.has("merges.txt")) {
            special = ByteLevelVocabulary.write(this, folder.json("vocab.json"), folder.text("merges.txt"));
        } else if (folder.has("vocab.txt")) {
            special = WordPieceVocabulary.write(this, folder.text("vocab.txt"));
        } else {
            throw new ModelNotFoundException(folder.path()
                    + ": has no vocabulary: neither tokenizer.json, tokenizer.model, spiece.model, vocab.json with merges.txt,"
                    + " nor vocab.txt");
        }
        special.write(entries);
        ChatTemplates.write(folder, entries);
    }

    /** Llama 3's folders may hold a file of the same name that is none: then tokenizer.json has all. */
    private @Nullable SentencePieceModel read(String pieces, Config json) {
        try {
            return SentencePieceModel.read(pieces, folder.bytes(pieces));
        } catch (InvalidModelException e) {
            if (json.has("model")) {
                return null;
            }
            throw e;
        }
    }

    /** Whether it cuts bytes, not characters with spaces marked. */
    private static boolean isByteLevel(Config json) {
        return mentions(json.value("pre_tokenizer")) || mentions(json.value("decoder"));
    }

    private static boolean mentions(@Nullable Object value) {
        return switch (value) {
            case Map<?, ?> map ->
                "ByteLevel".equals(map.get("type")) || map.values().stream().anyMatch(Vocabulary::mentions);
            case List<?> list -> list.stream().anyMatch(Vocabulary::mentions);
            case null, default -> false;
        };
    }

    Folder folder() {
        return folder;
    }

    Config config() {
        return config;
    }

    String architecture() {
        return architecture;
    }

    int size() {
        return size;
    }

    Entries entries() {
        return entries;
    }

    SpecialTokens special(Config json, Tokens tokens) {
        return new SpecialTokens(folder, config, json, tokens);
    }

    /** The name that stands for how words are cut. */
    String pre(Config json) {
        return pre != null ? pre : PreTokenizers.name(json, architecture);
    }

    /** The name for a vocabulary that says nothing of it. */
    String preOr(String usual) {
        return pre != null ? pre : usual;
    }

    void kind(String model, String pretokenizer) {
        entries.text("tokenizer.ggml.model", model);
        entries.text("tokenizer.ggml.pre", pretokenizer);
    }

    /**
     * The tokens that tokenizer.json adds to those of its model. One without an embedding is left out: Gemma 3's for
     * pictures, in models that see none.
     */
    static void addAll(Config json, Tokens tokens, float score) {
        for (Object item : json.list("added_tokens")) {
            Config token = Config.of(json.file(), "added_tokens", item);
            if (token.integer("id") < tokens.size()) {
                tokens.add(token.integer("id"), token.text("content", ""), token.truth("special", false), score);
            }
        }
    }
}
