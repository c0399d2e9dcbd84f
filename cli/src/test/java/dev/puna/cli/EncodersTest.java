// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** {@code puna embed}, {@code rerank}, {@code classify} and {@code fill-mask}. */
class EncodersTest {
    private static String encoder(String name) {
        return Cli.DATA.resolve("encoders").resolve(name + ".gguf").toString();
    }

    @Test
    void embedPrintsAVectorForEachText() {
        JsonNode all = Cli.run("embed", "-m", encoder("bert"), "--json", "--dimensions", "4", "a b", "c")
                .succeeded()
                .json();
        assertThat(all.size()).isEqualTo(2);
        assertThat(all.get(0).size()).isEqualTo(4);
    }

    @Test
    void rerankPrintsTheBestFirst() {
        JsonNode all = Cli.run("rerank", "-m", encoder("xlm_roberta_rank"), "--json", "a", "b", "c d")
                .succeeded()
                .json();
        assertThat(all.size()).isEqualTo(2);
        assertThat(all.get(0).get("score").asDouble())
                .isGreaterThanOrEqualTo(all.get(1).get("score").asDouble());
    }

    @Test
    void classifyPrintsEachLabel() {
        JsonNode all = Cli.run("classify", "-m", encoder("distilbert_classes"), "--json", "a b")
                .succeeded()
                .json();
        assertThat(all.get(0).size()).isEqualTo(2);
    }

    @Test
    void fillMaskPrintsWords() {
        JsonNode all = Cli.run("fill-mask", "-m", encoder("bert_masked"), "--json", "--top", "3", "a [MASK] b")
                .succeeded()
                .json();
        assertThat(all.get(0).size()).isEqualTo(3);
    }
}
