// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.puna.convert.Convert;
import dev.puna.convert.WeightType;
import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters as GGUF files and as PEFT's folders, chosen per request. */
@Timeout(120)
class AdapterTest {
    private static final Path DATA = Models.DATA.resolve("adapters");
    private static Model model;
    private static Adapter law;
    private static Adapter tone;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path place;

    @BeforeAll
    static void load() {
        model = open("llama");
        law = model.adapter(DATA.resolve("llama_law.gguf"));
        tone = model.adapter(DATA.resolve("llama_tone.gguf"));
    }

    @AfterAll
    static void close() {
        model.close();
        assertThat(law.isClosed()).isTrue();
    }

    private static Model open(String name) {
        return Model.builder(Models.DATA.resolve("tiny/" + name + ".gguf"))
                .defaultContext(o -> o.cacheType(CacheType.F32))
                .load();
    }

    private static Prompt prompt(int[] ids) {
        return model.prompt(ids)
                .sampler(Sampler.greedy())
                .maxTokens(12)
                .ignoreEnd()
                .logprobs(3);
    }

    private static int[] ids(int count) {
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = 20 + i * 37 % 300;
        }
        return ids;
    }

    /** The logits after a prompt. */
    private static float[] logits(Prompt prompt) {
        List<float[]> rows = new ArrayList<>();
        prompt.maxTokens(1)
                .logits(l -> {
                    float[] row = new float[l.size()];
                    for (int i = 0; i < row.length; i++) {
                        row[i] = l.get(i);
                    }
                    rows.add(row);
                })
                .text();
        return rows.getFirst();
    }

    @ParameterizedTest
    @CsvSource({
        "llama, law, llama_law, 1",
        "llama, tone, llama_tone, 0.5",
        "llama, stable, llama_stable, 1",
        "gpt2, verse, gpt2_verse, 1",
        "gemma3, prose, gemma3_prose, 1"
    })
    void foldersOfPeftGiveWhatPeftComputes(String base, String set, String name, float weight) {
        Map<String, Golden> cases = Golden.cases(DATA.resolve(base + ".golden"));
        try (Model of = open(base);
                Adapter file = of.adapter(DATA.resolve(name + ".gguf"));
                Adapter folder = of.adapter(DATA.resolve(name))) {
            assertThat(folder.name()).isEqualTo(name);
            assertThat(folder.tensors()).isEqualTo(file.tensors());
            assertThat(folder.rank()).isEqualTo(file.rank());
            assertThat(folder.parameters()).isEqualTo(file.parameters());
            for (String length : List.of("7", "130")) {
                Golden golden = cases.get(set + " " + length);
                int[] ids = golden.ids("ids");
                List<Float> expected = golden.floats("logits_last");
                for (Adapter adapter : List.of(file, folder)) {
                    float[] came = logits(of.prompt(ids).adapter(adapter, weight));
                    assertThat(came).hasSize(expected.size());
                    for (int i = 0; i < came.length; i++) {
                        assertThat(came[i]).as("logit %d of %s", i, length).isCloseTo(expected.get(i), within(1e-4f));
                    }
                }
            }
        }
    }

    @Test
    void requestsWithDifferentOnesShareABatch() {
        List<List<Prompt>> rounds = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            rounds.add(List.of(
                    prompt(ids(90)),
                    prompt(ids(95)).adapter(law),
                    prompt(ids(70)).adapter(tone, -.5f),
                    prompt(ids(80)).adapter(law, .5f).adapter(tone, 2),
                    prompt(ids(90)).adapter(law, 0)));
        }
        List<Reply> alone = rounds.get(0).stream().map(Prompt::reply).toList();
        List<CompletableFuture<Reply>> together =
                rounds.get(1).stream().map(Prompt::async).toList();
        for (int i = 0; i < alone.size(); i++) {
            Reply reply = together.get(i).join();
            assertThat(reply.tokens()).isEqualTo(alone.get(i).tokens());
            assertThat(reply.logprobs().toString())
                    .isEqualTo(alone.get(i).logprobs().toString());
        }
        assertThat(alone.get(4).logprobs().toString())
                .isEqualTo(alone.get(0).logprobs().toString());
        assertThat(alone.get(1).logprobs().toString())
                .isNotEqualTo(alone.get(0).logprobs().toString());
    }

    @Test
    void aPrefixIsASetsOwn() {
        try (Context context = model.newContext(o -> {})) {
            prompt(context).reply();
            assertThat(prompt(context).reply().usage().cachedTokens()).isPositive();
            assertThat(prompt(context).adapter(law).reply().usage().cachedTokens())
                    .isZero();
            assertThat(prompt(context).adapter(law).reply().usage().cachedTokens())
                    .isPositive();
            assertThat(prompt(context).adapter(law, .5f).reply().usage().cachedTokens())
                    .isZero();
        }
    }

    @Test
    void vectorsAreMadeWithThem() {
        List<String> texts = List.of("one", "two three");
        List<float[]> bare = model.embed(texts).vectors();
        List<float[]> with = model.embed(texts).adapter(law, 1).vectors();
        for (int i = 0; i < texts.size(); i++) {
            assertThat(with.get(i)).isNotEqualTo(bare.get(i));
            assertThat(model.embed(List.of(texts.get(i))).adapter(law, 1).vector())
                    .isEqualTo(with.get(i));
        }
        assertThat(model.embed(texts).vectors().get(1)).isEqualTo(bare.get(1));
        assertThat(model.embed(texts).adapter(law, 0).vectors().get(1)).isEqualTo(bare.get(1));
    }

    private static Prompt prompt(Context context) {
        return context.prompt(ids(150)).sampler(Sampler.greedy()).maxTokens(2);
    }

    @Test
    void chatsUseThemAndGoOnWithThem() {
        byte[] saved;
        List<Integer> next;
        try (Chat chat = model.newChat(o -> {}).adapter(law).adapter(tone, .5f)) {
            chat.user("one two three").sampler(Sampler.greedy()).maxTokens(8).reply();
            saved = chat.save();
            try (Chat fork = chat.fork()) {
                Reply reply =
                        fork.user("more").sampler(Sampler.greedy()).maxTokens(8).reply();
                assertThat(reply.usage().cachedTokens()).isPositive();
                next = list(reply);
            }
        }
        try (Context other = model.newContext(o -> o.cacheType(CacheType.F32));
                Chat restored = other.restoreChat(saved).adapter(law).adapter(tone, .5f)) {
            Reply reply =
                    restored.user("more").sampler(Sampler.greedy()).maxTokens(8).reply();
            assertThat(reply.usage().cachedTokens()).isPositive();
            assertThat(list(reply)).isEqualTo(next);
        }
        try (Context other = model.newContext(o -> o.cacheType(CacheType.F32));
                Chat restored = other.restoreChat(saved)) {
            Reply reply =
                    restored.user("more").sampler(Sampler.greedy()).maxTokens(8).reply();
            assertThat(reply.usage().cachedTokens()).isZero();
        }
    }

    private static List<Integer> list(Reply reply) {
        return java.util.Arrays.stream(reply.tokens()).boxed().toList();
    }

    @Test
    void aRecordNamesThem() {
        Reply reply = prompt(ids(30)).adapter(tone, -.5f).adapter(law).reply();
        ReplayRecord record = ReplayRecord.parse(reply.record().json());
        assertThat(record.json()).isEqualTo(reply.record().json()).contains("tiny llama_law");
        assertThat(record.replay(model, o -> {}, List.of(law, tone)).isEqual()).isTrue();
        assertThatExceptionOfType(PunaException.class)
                .isThrownBy(() -> record.replay(model, o -> {}, List.of(law)))
                .withMessageContaining("tiny llama_tone");
        assertThatExceptionOfType(PunaException.class).isThrownBy(() -> record.replay(model));
    }

    @Test
    void mistakesAreSaid() throws IOException {
        try (Model other = open("llama")) {
            Adapter theirs = other.adapter(DATA.resolve("llama_law.gguf"));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> prompt(ids(3)).adapter(theirs))
                    .withMessageContaining("another model");
            theirs.close();
            theirs.close();
            assertThatExceptionOfType(ClosedException.class)
                    .isThrownBy(() -> other.prompt("a").adapter(theirs).text());
            assertThat(other.prompt("a").maxTokens(2).text()).isNotNull();
            other.close();
            assertThatExceptionOfType(ClosedException.class)
                    .isThrownBy(() -> other.adapter(DATA.resolve("llama_law.gguf")));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> prompt(ids(3)).adapter(law, Float.NaN));
        Prompt many = prompt(ids(3));
        for (int i = 0; i < 16; i++) {
            many.adapter(law, .01f);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> many.adapter(law));
        assertThat(many.reply().tokens()).hasSize(12);
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> model.adapter(place.resolve("none.gguf")));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.adapter(DATA.resolve("gpt2_verse.gguf")))
                .withMessageContaining("gpt2");
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(() -> model.adapter(DATA.resolve("gpt2_verse")));
        Path damaged = Files.write(place.resolve("damaged.gguf"), new byte[100]);
        assertThatExceptionOfType(InvalidModelException.class).isThrownBy(() -> model.adapter(damaged));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "use_dora: true",
                "bias: \"all\"",
                "modules_to_save: [\"lm_head\"]",
                "peft_type: \"IA3\"",
                "lora_bias: true",
                "trainable_token_indices: [1]",
                "target_parameters: [\"x\"]",
                "alpha_pattern: {\"(a+)+b\": 3}"
            })
    void whatPeftHasBesidesIsRefusedByName(String field) throws IOException {
        String name = field.substring(0, field.indexOf(':'));
        String config = Files.readString(DATA.resolve("llama_law/adapter_config.json"));
        String changed = config.replaceFirst(
                "\"" + name + "\": [^\\n]*",
                java.util.regex.Matcher.quoteReplacement(
                        "\"" + name + "\": " + field.substring(field.indexOf(':') + 2) + ","));
        assertThat(changed).as("the configuration has the field").isNotEqualTo(config);
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(() -> model.adapter(folder(changed)))
                .withMessageContaining(name);
    }

    private Path folder(String config) throws IOException {
        Path folder = Files.createDirectories(place.resolve("peft"));
        Files.copy(
                DATA.resolve("llama_law/adapter_model.safetensors"),
                folder.resolve("adapter_model.safetensors"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(folder.resolve("adapter_config.json"), config);
        return folder;
    }

    @Test
    void aFolderIsConvertedForItsModel() {
        Path file = place.resolve("law.gguf");
        Convert conversion = Convert.folder(DATA.resolve("llama_law")).to(file);
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(conversion::run)
                .withMessageContaining("adapter");
        conversion.base(model.path());
        assertThat(conversion.run().tensors()).isEqualTo(30);
        try (Adapter converted = model.adapter(file)) {
            Reply expected = prompt(ids(50)).adapter(law).reply();
            Reply reply = prompt(ids(50)).adapter(converted).reply();
            assertThat(reply.logprobs().toString())
                    .isEqualTo(expected.logprobs().toString());
        }
        conversion.type(WeightType.F16).run(); // its numbers are halves: nothing is lost
        try (Adapter converted = model.adapter(file)) {
            Reply expected = prompt(ids(50)).adapter(law).reply();
            Reply reply = prompt(ids(50)).adapter(converted).reply();
            assertThat(reply.logprobs().toString())
                    .isEqualTo(expected.logprobs().toString());
        }
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(() -> conversion.type(WeightType.Q8_0).run());
    }
}
