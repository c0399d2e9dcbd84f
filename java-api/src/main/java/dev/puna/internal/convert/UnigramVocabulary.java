// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Unigram vocabularies, GGUF's "t5": pieces with scores, and a map of characters. */
final class UnigramVocabulary {
    private static final float ADDED = -1000;

    private UnigramVocabulary() {}

    static SpecialTokens write(Vocabulary vocabulary, SentencePieceModel model) {
        Tokens tokens = new Tokens("spiece.model", vocabulary.size());
        boolean moved = vocabulary.architecture().equals("bert");
        if (moved) {
            addMoved(model, tokens);
        } else {
            SentencePieceVocabulary.addPieces(model, tokens);
        }
        Config settings = vocabulary.folder().optional("tokenizer_config.json");
        ByteLevelVocabulary.addDecoded(settings, tokens);
        finish(vocabulary, tokens, model.map(), model.prefix(), model.removesSpaces());
        SpecialTokens special = vocabulary.special(Config.none("tokenizer.json"), tokens);
        if (moved) {
            special.fallback("bos", 0);
            special.fallback("pad", 1);
            special.fallback("eos", 2);
            special.fallback("sep", 2);
            special.fallback("unk", 3);
            return special;
        }
        return SentencePieceVocabulary.named(special, model);
    }

    /** XLM-RoBERTa's ids are not the pieces': four tokens of its own stand first, one last. */
    private static void addMoved(SentencePieceModel model, Tokens tokens) {
        List<String> first = List.of("<s>", "<pad>", "</s>", "<unk>");
        for (int id = 0; id < first.size(); id++) {
            tokens.set(id, first.get(id), id == 3 ? Tokens.UNKNOWN : Tokens.CONTROL, 0);
        }
        List<SentencePieceModel.Piece> pieces = model.pieces();
        for (int i = 3; i < pieces.size(); i++) {
            tokens.set(
                    i + 1,
                    pieces.get(i).text(),
                    pieces.get(i).kind(),
                    pieces.get(i).score());
        }
        tokens.set(tokens.size() - 1, "<mask>", Tokens.CONTROL, 0);
    }

    static SpecialTokens write(Vocabulary vocabulary, Config json) {
        Config model = json.object("model");
        Tokens tokens = new Tokens(json.file(), vocabulary.size());
        List<Float> scores = new ArrayList<>();
        int id = 0;
        for (Object item : model.list("vocab")) {
            if (!(item instanceof List<?> pair)
                    || pair.size() != 2
                    || !(pair.get(0) instanceof String text)
                    || !(pair.get(1) instanceof Number score)) {
                throw model.wrong("vocab", "piece " + id + " is not a text and a number");
            }
            scores.add(score.floatValue());
            tokens.set(id++, text, Tokens.NORMAL, score.floatValue());
        }
        Vocabulary.addAll(json, tokens, ADDED);
        for (int own = 0; own < id; own++) { // what is added and has a place among the pieces has its score there
            tokens.score(own, scores.get(own));
        }
        int unknown = model.integer("unk_id", 0);
        if (unknown < tokens.size()) {
            tokens.set(unknown, tokens.text(unknown), Tokens.UNKNOWN, 0);
        }
        List<Config> steps = steps(json);
        finish(vocabulary, tokens, map(json, steps), prefix(json), removesSpaces(json, steps));
        SpecialTokens special = vocabulary.special(json, tokens);
        special.fallback("unk", unknown);
        return special;
    }

    private static void finish(Vocabulary v, Tokens tokens, byte[] map, boolean prefix, boolean removesSpaces) {
        Entries e = v.entries();
        v.kind("t5", "default");
        tokens.write(e, true);
        e.truth("tokenizer.ggml.add_space_prefix", prefix);
        e.truth("tokenizer.ggml.remove_extra_whitespaces", removesSpaces);
        if (map.length > 0) {
            e.bytes("tokenizer.ggml.precompiled_charsmap", map);
        }
    }

    /** The normalizer's steps. */
    private static List<Config> steps(Config json) {
        List<Config> steps = new ArrayList<>(List.of(json.object("normalizer")));
        for (Object step : json.object("normalizer").list("normalizers")) {
            steps.add(Config.of(json.file(), "normalizer", step));
        }
        return steps;
    }

    private static byte[] map(Config json, List<Config> steps) {
        for (Config step : steps) {
            String coded = step.text("precompiled_charsmap");
            if (coded != null) {
                try {
                    return Base64.getDecoder().decode(coded);
                } catch (IllegalArgumentException e) {
                    throw json.wrong("precompiled_charsmap", "is no base64: " + e.getMessage());
                }
            }
        }
        return new byte[0];
    }

    /** By its normalizer, or, as XLM-RoBERTa's own says it, because words are cut at spaces first. */
    private static boolean removesSpaces(Config json, List<Config> steps) {
        return cutsAtSpaces(json, json.value("pre_tokenizer"))
                || steps.stream()
                        .anyMatch(step -> step.text("type", "").equals("Replace")
                                && step.object("pattern").text("Regex", "").startsWith(" {2"));
    }

    private static boolean cutsAtSpaces(Config json, @Nullable Object value) {
        if (!(value instanceof Map<?, ?>)) {
            return false;
        }
        Config step = Config.of(json.file(), "pre_tokenizer", value);
        return step.text("type", "").equals("WhitespaceSplit")
                || step.list("pretokenizers").stream().anyMatch(inner -> cutsAtSpaces(json, inner));
    }

    private static boolean prefix(Config json) {
        return prepends(json, json.value("pre_tokenizer"));
    }

    private static boolean prepends(Config json, @Nullable Object value) {
        if (!(value instanceof Map<?, ?>)) {
            return false;
        }
        Config step = Config.of(json.file(), "pre_tokenizer", value);
        if (step.text("type", "").equals("Metaspace")) {
            return !step.text("prepend_scheme", step.truth("add_prefix_space", true) ? "always" : "never")
                    .equals("never");
        }
        return step.list("pretokenizers").stream().anyMatch(inner -> prepends(json, inner));
    }
}
