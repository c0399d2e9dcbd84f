// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** {@code puna embed}, {@code rerank}, {@code classify}, {@code fill-mask}, {@code translate} and {@code summarize}. */
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

    /** More than are read between two looks at how far it is. */
    @Test
    void embedReadsAnyNumberOfTexts() {
        StringBuilder texts = new StringBuilder();
        for (int i = 0; i < 1100; i++) {
            texts.append(i).append(" a\n");
        }
        List<String> all = Cli.runWith(texts.toString(), "embed", "-m", encoder("bert"), "--dimensions", "2")
                .succeeded()
                .out()
                .lines()
                .toList();
        assertThat(all).hasSize(1100);
        assertThat(all.get(1077) + "\n")
                .isEqualTo(Cli.run("embed", "-m", encoder("bert"), "--dimensions", "2", "1077 a")
                        .succeeded()
                        .out());
        Cli.runWith(texts + "b ".repeat(2000) + "\n", "embed", "-m", encoder("bert"))
                .failed("behind the first 1024 texts", "text 76 has");
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

    private static String t5() {
        return Cli.DATA.resolve("text_to_text").resolve("t5_gated.gguf").toString();
    }

    @Test
    void translateAnswersEachText() {
        JsonNode all = Cli.run("translate", "-m", t5(), "--to", "de", "--json", "--beams", "2", "-n", "8", "a b", "c")
                .succeeded()
                .json();
        assertThat(all.size()).isEqualTo(2);
        assertThat(all.get(0).get("tokens").size()).isBetween(1, 8);
        Cli.run("translate", "-m", t5(), "--to", "12", "a").failed("--to is 12", "pt-BR");
        Cli.run("translate", "-m", t5(), "--to", "de", "--early-stopping", "soon", "a")
                .failed("--early-stopping is soon", "never");
        Cli.run("translate", "-m", encoder("bert"), "--to", "de", "a").failed("bert", "can't translate", "EMBED");
    }

    @Test
    void summarizePrintsALineForEachText() {
        assertThat(Cli.run("summarize", "-m", t5(), "-n", "5", "a b c d", "e f")
                        .succeeded()
                        .out()
                        .lines()
                        .count())
                .isEqualTo(2);
    }
}
