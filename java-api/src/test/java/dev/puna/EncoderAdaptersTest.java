// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters of encoder-decoders and of encoders, and of what is computed without a generation. */
@Timeout(120)
class EncoderAdaptersTest {
    private static final Path DATA = Models.DATA.resolve("adapters");

    private static Model open(String name) {
        return Model.builder(Models.DATA.resolve(name + ".gguf"))
                .defaultContext(o -> o.cacheType(CacheType.F32).threads(2))
                .load();
    }

    private static TextToText german(Model t5) {
        return t5.translate("the house by the sea", Locale.ENGLISH, Locale.GERMAN)
                .sampler(Sampler.greedy())
                .maxTokens(12)
                .ignoreEnd()
                .logprobs(2);
    }

    @ParameterizedTest
    @CsvSource({"t5, law, t5_law, 1", "t5, cross, t5_cross, 1", "t5_gated, law, t5_gated_law, 0.5"})
    void filesAndFoldersOfPeftGiveWhatPeftComputes(String base, String set, String name, float weight) {
        Map<String, Golden> cases = Golden.cases(DATA.resolve(base + ".golden"));
        try (Model t5 = open("text_to_text/" + base);
                Adapter file = t5.adapter(DATA.resolve(name + ".gguf"));
                Adapter folder = t5.adapter(DATA.resolve(name))) {
            assertThat(folder.tensors()).isEqualTo(file.tensors());
            assertThat(folder.parameters()).isEqualTo(file.parameters());
            for (String length : List.of("7", "130")) {
                Golden golden = cases.get(set + " " + length);
                for (Adapter adapter : List.of(file, folder)) {
                    Prompt prompt = t5.prompt(golden.ids("source"))
                            .adapter(adapter, weight)
                            .maxTokens(24);
                    assertThat(prompt.sampler(Sampler.greedy()).reply().tokens())
                            .isEqualTo(golden.ids("greedy"));
                    Reply best = prompt.beams(4).logprobs(0).reply();
                    assertThat(best.tokens()).isEqualTo(golden.ids("beams"));
                    List<Float> expected = golden.floats("logprobs");
                    assertThat(best.logprobs()).hasSize(expected.size());
                    for (int i = 0; i < expected.size(); i++) {
                        assertThat(best.logprobs().get(i).logprob()).isCloseTo(expected.get(i), within(1e-4f));
                        assertThat(best.logprobs().get(i).id()).isEqualTo(best.tokens()[i]);
                    }
                }
            }
        }
    }

    @Test
    void translationsWithDifferentOnesShareABatch() {
        try (Model t5 = open("text_to_text/t5");
                Adapter law = t5.adapter(DATA.resolve("t5_law"));
                Adapter cross = t5.adapter(DATA.resolve("t5_cross.gguf"))) {
            List<TextToText> requests = List.of(
                    german(t5),
                    german(t5).adapter(law),
                    german(t5).adapter(cross, -.5f),
                    german(t5).adapter(law, .5f).adapter(cross),
                    german(t5).adapter(law, 0));
            List<Reply> alone = requests.stream().map(TextToText::reply).toList();
            List<CompletableFuture<Reply>> together =
                    requests.stream().map(TextToText::async).toList();
            for (int i = 0; i < alone.size(); i++) {
                assertThat(together.get(i).join().logprobs().toString())
                        .isEqualTo(alone.get(i).logprobs().toString());
                boolean bare = i == 0 || i == 4;
                assertThat(alone.get(i)
                                .logprobs()
                                .toString()
                                .equals(alone.get(0).logprobs().toString()))
                        .isEqualTo(bare);
            }
            Reply reply = alone.get(1);
            assertThat(ReplayRecord.parse(reply.record().json())
                            .replay(t5, o -> o.cacheType(CacheType.F32), List.of(law))
                            .isEqual())
                    .isTrue();
        }
    }

    @Test
    void aSearchUsesThemAndTellsItsLogProbabilities() {
        try (Model t5 = open("text_to_text/t5");
                Adapter law = t5.adapter(DATA.resolve("t5_law.gguf"))) {
            TextToText search = t5.summarize("the house by the sea").beams(3).maxTokens(12);
            Reply bare = search.reply();
            Reply told = search.logprobs(4).reply();
            assertThat(told.tokens()).isEqualTo(bare.tokens());
            assertThat(bare.logprobs()).isEmpty();
            assertThat(told.logprobs()).hasSize(told.tokens().length);
            assertThat(told.logprobs()).allSatisfy(place -> {
                assertThat(place.top()).hasSize(4);
                assertThat(place.top().getFirst().logprob()).isGreaterThanOrEqualTo(place.logprob());
            });
            Reply with = search.adapter(law).reply();
            assertThat(with.logprobs().toString()).isNotEqualTo(told.logprobs().toString());
        }
    }

    @Test
    void vectorsOfAnEncoderAreMadeWithThem() {
        try (Model encoder = open("encoders/t5encoder");
                Adapter file = encoder.adapter(DATA.resolve("t5encoder_tone.gguf"));
                Adapter folder = encoder.adapter(DATA.resolve("t5encoder_tone"))) {
            float[] bare = encoder.embed("the sea").vector();
            float[] with = encoder.embed("the sea").adapter(file, 1).vector();
            assertThat(with).isNotEqualTo(bare);
            assertThat(encoder.embed("the sea").adapter(folder, 1).vector()).isEqualTo(with);
            assertThat(encoder.embed("the sea").vector()).isEqualTo(bare);
        }
    }

    @Test
    void classifiersUseThem() {
        try (Model classifier = open("encoders/bert_classes");
                Adapter file = classifier.adapter(DATA.resolve("bert_classes_tone.gguf"));
                Adapter folder = classifier.adapter(DATA.resolve("bert_classes_tone"))) {
            Map<String, Float> bare = classifier.classify("a b c").scores();
            Map<String, Float> with =
                    classifier.classify("a b c").adapter(file, 1).scores();
            assertThat(with).isNotEqualTo(bare);
            assertThat(classifier.classify("a b c").adapter(folder, 1).scores()).isEqualTo(with);
            assertThat(classifier.classify("a b c").adapter(file, 0).scores()).isEqualTo(bare);
            assertThat(classifier.classify("a b c").scores()).isEqualTo(bare);
        }
    }

    @Test
    void rerankersUseThem() {
        try (Model reranker = open("encoders/xlm_roberta_rank");
                Adapter tone = reranker.adapter(DATA.resolve("bert_classes_tone.gguf"))) { // of the same shapes
            List<String> documents = List.of("a b", "c d e", "x");
            List<Ranked> bare = reranker.rerank("a", documents).all();
            List<Ranked> with = reranker.rerank("a", documents).adapter(tone, 1).all();
            assertThat(with).isNotEqualTo(bare);
            assertThat(reranker.rerank("a", documents).adapter(tone, 0).all()).isEqualTo(bare);
            assertThat(reranker.rerank("a", documents).adapter(tone, 1).top(2)).isEqualTo(with.subList(0, 2));
        }
    }

    @Test
    void masksAreFilledWithThem() {
        try (Model bert = open("encoders/bert_masked");
                Adapter file = bert.adapter(DATA.resolve("bert_masked_tone.gguf"));
                Adapter folder = bert.adapter(DATA.resolve("bert_masked_tone"))) {
            List<Fill> bare = bert.fillMask("a [MASK] c").top(5);
            List<Fill> with = bert.fillMask("a [MASK] c").adapter(file, 1).top(5);
            assertThat(with).isNotEqualTo(bare);
            assertThat(bert.fillMask("a [MASK] c").adapter(folder, 1).top(5)).isEqualTo(with);
            assertThat(bert.fillMask("a [MASK] c").adapter(file, 0).top(5)).isEqualTo(bare);
            assertThat(bert.fillMask("a [MASK] c").top(5)).isEqualTo(bare);
        }
    }

    @Test
    void scoresAndLogitsAreMadeWithThem() {
        Golden golden = Golden.cases(DATA.resolve("llama.golden")).get("law 130");
        int[] ids = golden.ids("ids");
        try (Model llama = open("tiny/llama");
                Context context = llama.newContext(o -> o.cacheType(CacheType.F32));
                Adapter law = llama.adapter(DATA.resolve("llama_law.gguf"))) {
            float[] last = context.prompt(ids).adapter(law).logitsFrom(ids.length - 1);
            List<Float> expected = golden.floats("logits_last");
            assertThat(last).hasSize(expected.size());
            for (int i = 0; i < last.length; i++) {
                assertThat(last[i]).isCloseTo(expected.get(i), within(1e-4f));
            }
            float[] bare = context.logits(ids, 0);
            float[] with = context.prompt(ids).adapter(law).logitsFrom(0);
            assertThat(context.prompt(ids).logitsFrom(0)).isEqualTo(bare).isNotEqualTo(with);
            Score score = context.prompt(ids).adapter(law).score();
            assertThat(score.tokens()).isEqualTo(ids.length - 1);
            assertThat(score.logProbability()).isCloseTo(probability(with, ids), within(1e-3));
            assertThat(context.prompt(ids).score().logProbability()).isCloseTo(probability(bare, ids), within(1e-3));
            assertThat(llama.prompt("a b c").adapter(law, 0).score().logProbability())
                    .isEqualTo(llama.score("a b c").logProbability());
            assertThat(llama.prompt("a b c").adapter(law).score().logProbability())
                    .isNotEqualTo(llama.score("a b c").logProbability());
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> context.prompt(ids).adapter(law).logitsFrom(ids.length));
        }
    }

    /** What rows of logits say of the tokens behind the first one. */
    private static double probability(float[] logits, int[] ids) {
        int width = logits.length / ids.length;
        double all = 0;
        for (int row = 0; row + 1 < ids.length; row++) {
            double sum = 0;
            for (int i = 0; i < width; i++) {
                sum += Math.exp(logits[row * width + i]);
            }
            all += logits[row * width + ids[row + 1]] - Math.log(sum);
        }
        return all;
    }

    @Test
    void mistakesAreSaid() {
        try (Model t5 = open("text_to_text/t5");
                Model gated = open("text_to_text/t5_gated")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> gated.adapter(DATA.resolve("t5_law.gguf")))
                    .withMessageContaining("another model");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> t5.adapter(DATA.resolve("t5encoder_tone.gguf")))
                    .withMessageContaining("t5encoder");
            assertThatExceptionOfType(UnsupportedModelException.class)
                    .isThrownBy(() -> t5.adapter(DATA.resolve("llama_law")))
                    .withMessageContaining("no plain matrix of a model of the architecture t5");
            assertThatExceptionOfType(UnsupportedModelException.class)
                    .isThrownBy(() -> t5.prompt("a house").score());
        }
    }

    /** Families of one architecture name their layers differently; what comes of them is the same file. */
    @ParameterizedTest
    @CsvSource({"roberta, encoder", "distilbert, transformer"})
    void foldersOfBertsKinAreKnownByTheirNames(String prefix, String layers, @TempDir Path folder) throws IOException {
        Path bert = DATA.resolve("bert_masked_tone");
        Files.copy(bert.resolve("adapter_config.json"), folder.resolve("adapter_config.json"));
        byte[] tensors = Files.readAllBytes(bert.resolve("adapter_model.safetensors"));
        int length =
                (int) ByteBuffer.wrap(tensors).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String header = new String(tensors, 8, length, StandardCharsets.UTF_8)
                .replace("bert.encoder.layer", prefix + "." + layers + ".layer");
        if (prefix.equals("distilbert")) {
            header = header.replace("attention.self.query", "attention.q_lin")
                    .replace("attention.self.key", "attention.k_lin")
                    .replace("attention.self.value", "attention.v_lin")
                    .replace("attention.output.dense", "attention.out_lin")
                    .replace("intermediate.dense", "ffn.lin1")
                    .replace("output.dense", "ffn.lin2");
        }
        byte[] renamed = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + renamed.length + tensors.length - 8 - length);
        file.order(ByteOrder.LITTLE_ENDIAN)
                .putLong(renamed.length)
                .put(renamed)
                .put(tensors, 8 + length, file.remaining());
        Files.write(folder.resolve("adapter_model.safetensors"), file.array());
        String masked = "a [MASK] c";
        try (Model model = open("encoders/bert_masked");
                Adapter expected = model.adapter(bert);
                Adapter kin = model.adapter(folder)) {
            assertThat(kin.tensors()).isEqualTo(expected.tensors()).isPositive();
            List<Fill> with = model.fillMask(masked).adapter(expected, 1).top(5);
            assertThat(model.fillMask(masked).adapter(kin, 1).top(5)).isEqualTo(with);
            assertThat(model.fillMask(masked).top(5)).isNotEqualTo(with);
        }
    }
}
