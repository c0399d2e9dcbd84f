// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** {@code --adapter} of the commands that compute, and {@code puna convert --base}. */
class AdapterOptionsTest {
    private static final String LAW =
            Cli.DATA.resolve("adapters/llama_law.gguf").toString();
    private static final String TONE = Cli.DATA.resolve("adapters/llama_tone").toString(); // a folder

    private static JsonNode run(String... adapters) {
        List<String> all = new ArrayList<>(List.of(
                "run", "-m", Cli.model("llama"), "-n", "12", "--temperature", "0", "--json", "--logprobs", "1"));
        for (String adapter : adapters) {
            all.add("--adapter");
            all.add(adapter);
        }
        all.add("one two three");
        return Cli.run(all.toArray(String[]::new)).succeeded().json();
    }

    @Test
    void anAnswerSaysWhatItWasMadeWith() {
        JsonNode bare = run();
        assertThat(bare.has("adapters")).isFalse();
        JsonNode both = run(LAW, TONE + "=-0.5");
        assertThat(both.get("logprobs")).isNotEqualTo(bare.get("logprobs"));
        assertThat(both.get("adapters").size()).isEqualTo(2);
        assertThat(both.get("adapters").get(0).get("name").asString()).isEqualTo("tiny llama_law");
        assertThat(both.get("adapters").get(0).get("weight").asDouble()).isEqualTo(1);
        assertThat(both.get("adapters").get(1).get("weight").asDouble()).isEqualTo(-.5);
        assertThat(run(LAW + "=0").get("logprobs")).isEqualTo(bare.get("logprobs"));
    }

    @Test
    void aConversationUsesThem() {
        String[] bare = {"chat", "-m", Cli.model("llama"), "--temperature", "0", "--context", "256"};
        String[] with = {"chat", "-m", Cli.model("llama"), "--temperature", "0", "--context", "256", "--adapter", LAW};
        Cli.Result without = Cli.runWith("one two\n", bare); // which warns that the model has no template
        Cli.Result adapted = Cli.runWith("one two\n", with);
        assertThat(without.status()).isZero();
        assertThat(adapted.status()).isZero();
        assertThat(adapted.out()).isNotEmpty().isNotEqualTo(without.out());
    }

    /** Of encoders and encoder-decoders: another answer with them, the usual one where they weigh nothing. */
    @ParameterizedTest
    @CsvSource({
        "embed, encoders/bert_classes, bert_classes_tone, a b",
        "classify, encoders/bert_classes, bert_classes_tone.gguf, a b",
        "fill-mask, encoders/bert_masked, bert_masked_tone, a [MASK] c",
        "translate --to de, text_to_text/t5, t5_law.gguf, the house",
        "summarize, text_to_text/t5, t5_cross, the house by the sea",
    })
    void whatReadsWholeTextsUsesThem(String command, String model, String adapter, String text) {
        List<String> words = new ArrayList<>(List.of(command.split(" ")));
        words.addAll(List.of("-m", Cli.DATA.resolve(model + ".gguf").toString()));
        String bare = answer(words, List.of(text));
        String file = Cli.DATA.resolve("adapters").resolve(adapter).toString();
        assertThat(answer(words, List.of("--adapter", file, text))).isNotEqualTo(bare);
        assertThat(answer(words, List.of("--adapter", file + "=0", text))).isEqualTo(bare);
    }

    private static String answer(List<String> words, List<String> more) {
        List<String> all = new ArrayList<>(words);
        all.addAll(more);
        return Cli.run(all.toArray(String[]::new)).succeeded().out();
    }

    @Test
    void mistakesAreSentences(@TempDir Path place) {
        String[] start = {"run", "-m", Cli.model("llama"), "--adapter"};
        Cli.run(
                        start[0],
                        start[1],
                        start[2],
                        start[3],
                        place.resolve("none.gguf").toString(),
                        "a")
                .wrongUsage("there is no file", "none.gguf");
        Cli.run("rerank", "-m", Cli.model("llama"), "--adapter", "none.gguf", "a", "b")
                .wrongUsage("there is no file", "none.gguf");
        Cli.run(start[0], start[1], start[2], start[3], LAW + "=much", "a").wrongUsage("\"much\" is no weight");
        Cli.run("run", "-m", Cli.CHAT, "--adapter", LAW, "a").failed("another model");
    }

    @Test
    void aFolderIsConvertedForItsModel(@TempDir Path place) {
        String file = place.resolve("tone.gguf").toString();
        Cli.run("convert", TONE, "-o", file).failed("adapter_config.json", "GGUF file must be named");
        Cli.run("convert", TONE, "--base", Cli.model("llama"), "-o", file).succeeded();
        assertThat(run(file).get("logprobs")).isEqualTo(run(TONE).get("logprobs"));
    }
}
