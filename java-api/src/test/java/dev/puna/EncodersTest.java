// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.puna.testing.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Vectors, scores, labels and masks; what each number is, the core's own tests hold to transformers. */
class EncodersTest {
    private static Model encoder(String name) {
        return Model.load(Models.DATA.resolve("encoders/" + name + ".gguf"));
    }

    @Test
    void vectorsAreTheSameAloneAndTogether() {
        try (Model bert = encoder("bert")) {
            List<String> texts = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                texts.add("a b c ".repeat(i % 20) + "x " + i);
            }
            List<float[]> together = bert.embed(texts).vectors();
            assertThat(together).hasSize(300);
            for (int i = 0; i < 300; i += 37) {
                assertThat(bert.embed(texts.get(i)).vector()).isEqualTo(together.get(i));
            }
        }
    }

    @Test
    void vectorsAreNormedAndCut() {
        try (Model bert = encoder("bert")) {
            float[] vector = bert.embed("a b c").normalize().dimensions(8).vector();
            double squares = 0;
            for (float number : vector) {
                squares += number * number;
            }
            assertThat(vector).hasSize(8);
            assertThat(squares).isCloseTo(1, within(1e-5));
            float[] first = bert.embed("a b c").pooling(Pooling.FIRST).vector();
            assertThat(first)
                    .isNotEqualTo(bert.embed("a b c").pooling(Pooling.MEAN).vector());
            assertThatThrownBy(() -> bert.embed("a").dimensions(33))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("dimensions is 33; it may be 1 to 32");
        }
    }

    @Test
    void textsThatAreTooLongAreAnErrorUnlessCut() {
        try (Model bert = encoder("bert")) {
            String text = "a ".repeat(500);
            assertThatThrownBy(() -> bert.embed(text).vector()).isInstanceOf(ContextFullException.class);
            assertThat(bert.embed(text).truncate().vector()).hasSize(32);
        }
    }

    @Test
    void aDecoderMakesVectorsToo() {
        Model tiny = Models.tiny();
        assertThat(tiny.capabilities()).contains(Capability.EMBED, Capability.GENERATE);
        float[] last = tiny.embed("Once upon a time").vector();
        assertThat(last).hasSize(tiny.info().embeddingLength());
        assertThat(tiny.embed("Once upon a time").pooling(Pooling.LAST).vector())
                .isEqualTo(last);
        assertThat(tiny.embed("Once upon a time").pooling(Pooling.MEAN).vector())
                .isNotEqualTo(last);
    }

    @Test
    void documentsAreRanked() {
        try (Model reranker = encoder("xlm_roberta_rank")) {
            assertThat(reranker.capabilities()).containsExactlyInAnyOrder(Capability.EMBED, Capability.RERANK);
            List<String> documents = List.of("a b", "c d e", "x", "1 2 3");
            List<Ranked> all = reranker.rerank("a", documents).all();
            assertThat(all).hasSize(4);
            for (int i = 0; i < 4; i++) {
                Ranked ranked = all.get(i);
                assertThat(ranked.document()).isEqualTo(documents.get(ranked.index()));
                assertThat(i == 0 || all.get(i - 1).score() >= ranked.score()).isTrue();
            }
            assertThat(reranker.rerank("a", documents).top(2)).isEqualTo(all.subList(0, 2));
            assertThat(reranker.embed("a b").vector()).hasSize(32);
        }
    }

    @Test
    void textsAreClassified() {
        try (Model classifier = encoder("bert_classes")) {
            assertThat(classifier.capabilities()).containsExactlyInAnyOrder(Capability.EMBED, Capability.CLASSIFY);
            assertThat(classifier.labels()).containsExactly("class 0", "class 1", "class 2");
            Map<String, Float> scores = classifier.classify("a b c").scores();
            assertThat(scores.keySet()).containsExactlyElementsOf(classifier.labels());
            double sum =
                    scores.values().stream().mapToDouble(Float::doubleValue).sum();
            assertThat(sum).isCloseTo(1, within(1e-5));
            String best = classifier.classify("a b c").label();
            assertThat(scores.values()).allMatch(score -> score <= scores.getOrDefault(best, 0f));
            assertThatThrownBy(() -> classifier.rerank("a", List.of("b")).all())
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("3 labels");
        }
    }

    @Test
    void masksAreFilled() {
        try (Model bert = encoder("bert_masked")) {
            assertThat(bert.capabilities()).containsExactlyInAnyOrder(Capability.EMBED, Capability.FILL_MASK);
            List<Fill> fills = bert.fillMask("a [MASK] c").top(5);
            assertThat(fills).hasSize(5);
            for (int i = 1; i < 5; i++) {
                assertThat(fills.get(i).probability())
                        .isLessThanOrEqualTo(fills.get(i - 1).probability());
            }
            assertThat(bert.fillMask("[MASK] b [MASK]").tops(2)).hasSize(2);
            assertThatThrownBy(() -> bert.fillMask("a b").top(1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("0 masks");
        }
    }

    @Test
    void whatAModelCantServeSaysWhatItCan() {
        try (Model bert = encoder("bert")) {
            assertThat(bert.capabilities()).containsExactly(Capability.EMBED);
            assertThatThrownBy(() -> bert.prompt("Once").maxTokens(1).text())
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("this model (bert) can't generate text; it can: embed texts");
            assertThatThrownBy(() -> bert.classify("a").scores()).isInstanceOf(UnsupportedModelException.class);
            assertThatThrownBy(() -> bert.fillMask("[MASK]").top(1)).isInstanceOf(UnsupportedModelException.class);
            assertThatThrownBy(() -> bert.rerank("a", List.of("b")).all())
                    .isInstanceOf(UnsupportedModelException.class);
        }
        assertThatThrownBy(() -> Models.tiny().classify("a").scores())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("it can: generate text, embed texts");
    }
}
