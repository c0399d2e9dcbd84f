// SPDX-License-Identifier: Apache-2.0
package dev.puna.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.fail;

import dev.puna.InvalidModelException;
import dev.puna.Machine;
import dev.puna.ModelFile;
import dev.puna.ModelNotFoundException;
import dev.puna.PunaException;
import dev.puna.UnsupportedModelException;
import dev.puna.testing.Models;
import dev.puna.testing.Seeded;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Folders that lie: each lie is named, with its file, and leaves neither a GGUF file nor memory. */
@Timeout(240)
class HostileFolderTest {
    private static final Duration MOST = Duration.ofSeconds(10);
    private static final Duration EACH = Duration.ofSeconds(Long.getLong("puna.fuzz.seconds", 1));
    private static final Class<?> INVALID = InvalidModelException.class;
    private static final Class<?> UNSUPPORTED = UnsupportedModelException.class;
    private static final Class<?> MISSING = ModelNotFoundException.class;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path place;

    /** What is done to a copy of a folder. */
    private interface Change {
        void to(Path folder) throws IOException;
    }

    private record Lie(String folder, Change change, Class<?> type, String... words) {}

    private static Change replace(String file, String text, String by) {
        return folder -> {
            String old = Files.readString(folder.resolve(file), StandardCharsets.ISO_8859_1);
            if (!old.contains(text)) {
                throw new AssertionError(file + " lacks " + text);
            }
            Files.writeString(
                    folder.resolve(file),
                    old.replaceFirst(Pattern.quote(text), Matcher.quoteReplacement(by)),
                    StandardCharsets.ISO_8859_1);
        };
    }

    private static Change write(String file, String text) {
        return folder -> Files.writeString(folder.resolve(file), text);
    }

    private static Change remove(String... files) {
        return folder -> {
            for (String file : files) {
                Files.delete(folder.resolve(file));
            }
        };
    }

    private static Change cut(String file, int bytes) {
        return folder -> {
            byte[] all = Files.readAllBytes(folder.resolve(file));
            Files.write(folder.resolve(file), Arrays.copyOf(all, Math.max(0, all.length - bytes)));
        };
    }

    /** Safetensors with this header, and bytes behind it. */
    private static Change weights(long length, String header, int bytes) {
        return folder -> {
            byte[] text = header.getBytes(StandardCharsets.UTF_8);
            ByteBuffer all = ByteBuffer.allocate(8 + text.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
            all.putLong(length < 0 ? text.length : length).put(text);
            Files.write(folder.resolve("model.safetensors"), all.array());
        };
    }

    private static Change tensor(String name, String row) {
        return weights(-1, "{\"" + name + "\": " + row + "}", 64);
    }

    private static final String SHARD = "model-00002-of-00002.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String W = "model.safetensors";

    private static List<Lie> lies() {
        List<Lie> lies = new ArrayList<>(List.of(
                new Lie("qwen2", remove("config.json"), MISSING, "config.json: no such file"),
                new Lie("qwen2", write("config.json", "{\"a\": "), INVALID, "config.json", "offset 6"),
                new Lie("qwen2", write("config.json", "[1]"), INVALID, "config.json", "is no object"),
                new Lie("qwen2", write("config.json", "[".repeat(9999)), INVALID, "config.json", "64 deep"),
                new Lie("qwen2", write("config.json", "{}"), INVALID, "config.json: architectures", "is missing"),
                new Lie(
                        "qwen2",
                        replace("config.json", "Qwen2ForCausalLM", "WizardForCausalLM"),
                        UNSUPPORTED,
                        "\"WizardForCausalLM\" is not converted",
                        "Qwen2"),
                new Lie("qwen2", replace("config.json", "\"silu\"", "\"gelu\""), UNSUPPORTED, "hidden_act", "\"gelu\""),
                new Lie(
                        "qwen2",
                        replace("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"),
                        INVALID,
                        "config.json: num_hidden_layers",
                        "the weights have 2 layers",
                        "a part is missing"),
                new Lie(
                        "mamba2",
                        replace("config.json", "\"n_groups\": 2", "\"n_groups\": 3"),
                        INVALID,
                        "n_groups",
                        "64"),
                new Lie("mamba2", replace("config.json", "\"n_groups\": 2", "\"n_groups\": 0"), INVALID, "n_groups"),
                new Lie("mamba2", replace("config.json", "\"head_dim\": 16", "\"head_dim\": 0"), INVALID, "head_dim"),
                new Lie(
                        "mamba2",
                        replace("config.json", "\"expand\": 2", "\"expand\": 2000000000"),
                        INVALID,
                        "expand",
                        "channels"),
                new Lie("mamba2", replace("config.json", "    Infinity", "    0.1"), UNSUPPORTED, "time_step_limit"),
                new Lie("lfm2", replace("config.json", "\"conv\"", "\"coil\""), INVALID, "layer_types", "another kind"),
                new Lie(
                        "lfm2",
                        replace("config.json", "\"conv_bias\": false", "\"conv_bias\": true"),
                        UNSUPPORTED,
                        "conv_bias"),
                new Lie(
                        "granitehybrid",
                        replace("config.json", "\"mamba_d_head\": 16", "\"mamba_d_head\": 17"),
                        INVALID,
                        "mamba_d_head"),
                new Lie(
                        "qwen2",
                        replace("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"),
                        INVALID,
                        "the weights have 2 layers"),
                new Lie(
                        "qwen2",
                        replace("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 0"),
                        INVALID,
                        "is 0"),
                new Lie(
                        "qwen2",
                        replace("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": -2"),
                        INVALID,
                        "is no whole number from 0"),
                new Lie(
                        "qwen2",
                        replace("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000000000"),
                        INVALID,
                        "more than 16384"),
                new Lie(
                        "qwen2",
                        replace("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": \"2\""),
                        INVALID,
                        "is no whole number"),
                new Lie(
                        "qwen2",
                        replace("config.json", "\"num_attention_heads\": 4", "\"num_attention_heads\": 99999999"),
                        INVALID,
                        "num_attention_heads",
                        "more than"),
                new Lie(
                        "qwen2",
                        replace("config.json", "\"rope_type\": \"yarn\"", "\"rope_type\": \"spiral\""),
                        UNSUPPORTED,
                        "rope_type",
                        "\"spiral\" is none of"),
                new Lie("qwen2", replace("config.json", "\"factor\": 16.0", "\"factor\": 1e999"), INVALID, "factor"),
                new Lie(
                        "qwen2",
                        replace("config.json", "{", "{\"quantization_config\": {\"bits\": 4},"),
                        UNSUPPORTED,
                        "quantized already"),
                new Lie(
                        "llama",
                        replace("config.json", "\"num_attention_heads\": 4", "\"num_attention_heads\": 5"),
                        INVALID,
                        "q_proj",
                        "can't be shared by 5 heads"),
                new Lie(
                        "llama3",
                        replace("config.json", "\"factor\": 8.0", "\"factor\": 0.0"),
                        INVALID,
                        "give no factors"),
                new Lie(
                        "gemma3",
                        replace("config.json", "\"sliding_attention\"", "\"spiral_attention\""),
                        INVALID,
                        "layer_types",
                        "\"spiral_attention\""),
                new Lie(
                        "gemma2",
                        replace("config.json", "\"query_pre_attn_scalar\": 16", "\"query_pre_attn_scalar\": 17"),
                        UNSUPPORTED,
                        "query_pre_attn_scalar"),
                new Lie("falcon", replace("config.json", "\"alibi\": false", "\"alibi\": true"), UNSUPPORTED, "alibi"),
                new Lie("qwen2", remove(W), MISSING, "has neither model.safetensors nor"),
                new Lie("qwen2", cut(W, 1), INVALID, W, "cut short"),
                new Lie("qwen2", write(W, ""), INVALID, W, "0 bytes"),
                new Lie("qwen2", weights(1L << 62, "{}", 0), INVALID, "header", "at byte 0", "in a file of 10 bytes"),
                new Lie("qwen2", weights(-2 & Long.MAX_VALUE, "{}", 0), INVALID, "in a file of 10 bytes"),
                new Lie("qwen2", weights(3, "{}", 0), INVALID, "a length of 3"),
                new Lie("qwen2", weights(-1, "{\"a\": 1}", 0), INVALID, W + ": a", "is no object"),
                new Lie("qwen2", weights(-1, "{\"a\"", 0), INVALID, "header at byte 8", "':' is missing"),
                new Lie("qwen2", weights(-1, "{}", 0), INVALID, "no embeddings"),
                new Lie("qwen2", tensor("a", "{}"), UNSUPPORTED, "a: its type \"\" is unknown"),
                new Lie("qwen2", tensor("a", "{\"dtype\": \"F7\"}"), UNSUPPORTED, "\"F7\""),
                new Lie("qwen2", tensor("a", "{\"dtype\": \"F32\", \"data_offsets\": [0, 4]}"), INVALID, "dimensions"),
                new Lie(
                        "qwen2",
                        tensor("a", "{\"dtype\": \"F32\", \"shape\": [-1], \"data_offsets\": [0, 4]}"),
                        INVALID,
                        "no whole number"),
                new Lie(
                        "qwen2",
                        tensor(
                                "a",
                                "{\"dtype\": \"F32\", \"shape\": [4294967296, 4294967296], \"data_offsets\": [0, 4]}"),
                        INVALID,
                        "larger than any file"),
                new Lie(
                        "qwen2",
                        tensor("a", "{\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0]}"),
                        INVALID,
                        "not two whole numbers"),
                new Lie(
                        "qwen2",
                        tensor("a", "{\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [8, 4]}"),
                        INVALID,
                        "8 to 4 of 64"),
                new Lie(
                        "qwen2",
                        tensor("a", "{\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [64, 68]}"),
                        INVALID,
                        "64 to 68 of 64"),
                new Lie(
                        "qwen2",
                        tensor("a", "{\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}"),
                        INVALID,
                        "need 8"),
                new Lie(
                        "qwen2",
                        weights(
                                -1,
                                "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}, \"b\":"
                                        + " {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [4, 12]}}",
                                64),
                        INVALID,
                        "b",
                        "overlaps with \"a\""),
                new Lie(
                        "qwen2",
                        tensor("a\\nb", "{\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}"),
                        UNSUPPORTED,
                        "a?b",
                        "has no place in a model of the architecture qwen2"),
                new Lie(
                        "qwen2",
                        replace(W, "model.norm.weight", "model.nora.weight"),
                        UNSUPPORTED,
                        "model.nora.weight"),
                new Lie("qwen2", replace(W, "model.norm.weight", "lm_head.weightttt"), UNSUPPORTED, "no place")));
        lies.addAll(List.of(
                new Lie("llama", remove(SHARD), MISSING, SHARD, "is a part of the model"),
                new Lie("llama", write(INDEX, "{}"), INVALID, INDEX, "weight_map", "missing or empty"),
                new Lie("llama", replace(INDEX, "\"" + SHARD, "\"../" + SHARD), INVALID, "no file of this folder"),
                new Lie(
                        "llama",
                        replace(INDEX, "\"weight_map\": {", "\"weight_map\": {\"x\": \"" + SHARD + "\","),
                        INVALID,
                        INDEX + ": x",
                        "is not in " + SHARD),
                new Lie(
                        "llama",
                        folder -> Files.copy(
                                folder.resolve(SHARD),
                                folder.resolve("model-00001-of-00002.safetensors"),
                                StandardCopyOption.REPLACE_EXISTING),
                        INVALID,
                        "in another file"),
                new Lie("mixtral", replace(W, "experts.3.w1", "experts.4.w1"), INVALID, "number 3 is missing"),
                new Lie(
                        "mixtral",
                        replace("config.json", "\"num_local_experts\": 4", "\"num_local_experts\": 5"),
                        INVALID,
                        "num_local_experts",
                        "has 4"),
                new Lie("qwen2", remove("tokenizer.json"), MISSING, "has no vocabulary"),
                new Lie(
                        "qwen2",
                        write("tokenizer.json", "{\"model\": {\"type\": \"WordLevel\"}}"),
                        UNSUPPORTED,
                        "WordLevel"),
                new Lie(
                        "qwen2",
                        replace("tokenizer.json", "\"!\":0", "\"!\":384"),
                        INVALID,
                        "tokenizer.json: !",
                        "384",
                        "embeddings for 384 tokens"),
                new Lie("qwen2", replace("tokenizer.json", "\"!\":0", "\"!\":-1"), INVALID, "tokenizer.json: !"),
                new Lie("qwen2", replace("tokenizer.json", "\"!\":0", "\"!\":\"0\""), INVALID, "tokenizer.json: !"),
                new Lie(
                        "qwen2",
                        replace("tokenizer.json", "\"merges\":[", "\"merges\":[7,"),
                        INVALID,
                        "merges",
                        "merge 0"),
                new Lie(
                        "qwen2",
                        replace("tokenizer.json", "\\\\s+(?!\\\\S)", "\\\\s"),
                        UNSUPPORTED,
                        "pre_tokenizer",
                        "none that are known",
                        "qwen2"),
                new Lie("llama_spm", cut("tokenizer.model", 3), INVALID, "tokenizer.model"),
                new Lie("llama_spm", write("tokenizer.model", "not a model"), INVALID, "tokenizer.model"),
                new Lie("llama_spm", write("tokenizer.model", ""), INVALID, "no pieces"),
                new Lie(
                        "llama_spm",
                        replace("tokenizer_config.json", "\"380\"", "\"x\""),
                        INVALID,
                        "added_tokens_decoder"),
                new Lie("gpt2", replace("merges.txt", "\n", "\na b c\n"), INVALID, "merges.txt", "is not two tokens")));
        return lies;
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private Path changed(int number, Lie lie) throws IOException {
        Path folder = place.resolve("lie-" + number);
        copy(Models.DATA.resolve("folders").resolve(lie.folder()), folder);
        lie.change().to(folder);
        return folder;
    }

    private static @Nullable Throwable refusal(Path folder) {
        return catchThrowable(() -> Convert.folder(folder)
                .to(folder.resolve("out.gguf"))
                .type(WeightType.F32)
                .run());
    }

    private static List<String> left(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.contains("out.gguf"))
                    .toList();
        }
    }

    @Test
    void eachLieIsNamed() throws IOException {
        assertThat(Models.tiny().info().layers()).isPositive();
        SoftAssertions all = new SoftAssertions();
        List<Lie> lies = lies();
        for (int i = 0; i < lies.size(); i++) {
            Lie lie = lies.get(i);
            Path folder = changed(i, lie);
            long start = System.nanoTime();
            Throwable thrown = refusal(folder);
            String message = String.valueOf(thrown == null ? "no exception" : thrown.getMessage());
            String what = i + " " + String.join(" ", lie.words());
            all.assertThat(thrown).as(what).isInstanceOf(lie.type());
            all.assertThat(message)
                    .as(what)
                    .contains(lie.words())
                    .doesNotContain("\n")
                    .hasSizeLessThan(800);
            all.assertThat(Duration.ofNanos(System.nanoTime() - start)).as(what).isLessThan(MOST);
            all.assertThat(left(folder)).as(what).isEmpty();
        }
        all.assertThat(lies).hasSizeGreaterThan(55);
        all.assertAll();
    }

    @Test
    void whatF16CannotHoldIsRefused() throws IOException {
        Path folder = place.resolve("large");
        copy(Models.DATA.resolve("folders/llama"), folder);
        Path shard = folder.resolve(SHARD);
        byte[] bytes = Files.readAllBytes(shard);
        int begin = 8 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
        for (int i = begin; i < bytes.length; i += 2) {
            bytes[i] = 0x10; // as BF16 2e38 or so
            bytes[i + 1] = 0x7F;
        }
        Files.write(shard, bytes);
        Throwable thrown = catchThrowable(() -> Convert.folder(folder)
                .to(folder.resolve("out.gguf"))
                .type(WeightType.F16)
                .run());
        assertThat(thrown).isInstanceOf(UNSUPPORTED.asSubclass(Throwable.class)).hasMessageContaining("65504");
        assertThat(left(folder)).isEmpty();
        Convert.folder(folder)
                .to(folder.resolve("out.gguf"))
                .type(WeightType.BF16)
                .run();
    }

    @Test
    void nothingIsKept() throws IOException {
        List<Lie> lies = lies();
        for (int i = 0; i < lies.size(); i++) {
            refusal(changed(i, lies.get(i)));
        }
        long before = Machine.nativeMemory();
        for (int i = 0; i < lies.size(); i++) {
            refusal(place.resolve("lie-" + i));
        }
        assertThat(Machine.nativeMemory()).isEqualTo(before);
    }

    private static final String NUMBER = "99999999999999999999";

    /** One damage: bytes changed, an end cut off, a piece twice, a number far beyond all there is. */
    private static byte[] damaged(byte[] bytes, Random random) {
        int front = Math.min(bytes.length, random.nextBoolean() ? 3000 : bytes.length);
        int at = random.nextInt(front);
        switch (random.nextInt(5)) {
            case 0 -> {
                return Arrays.copyOf(bytes, at);
            }
            case 1 -> {
                int length = 1 + random.nextInt(Math.min(200, bytes.length - at));
                byte[] twice = Arrays.copyOf(bytes, bytes.length + length);
                System.arraycopy(bytes, at, twice, at + length, bytes.length - at);
                return twice;
            }
            case 2 -> {
                while (at < bytes.length - 1 && !(bytes[at] >= '0' && bytes[at] <= '9')) {
                    at++;
                }
                byte[] digits =
                        NUMBER.substring(random.nextInt(NUMBER.length())).getBytes(StandardCharsets.ISO_8859_1);
                byte[] longer = Arrays.copyOf(bytes, bytes.length + digits.length);
                System.arraycopy(digits, 0, longer, at, digits.length);
                System.arraycopy(bytes, at, longer, at + digits.length, bytes.length - at);
                return longer;
            }
            default -> {
                for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
                    bytes[random.nextInt(front)] = random.nextBoolean()
                            ? (byte) random.nextInt()
                            : (byte) "0919-{}[]\",:.eE".charAt(random.nextInt(15));
                }
                return bytes;
            }
        }
    }

    /** vocab.txt instead of tokenizer.json: what a folder of BERT's first days has. */
    private static void asOfOld(Path folder) throws IOException {
        Files.delete(folder.resolve("tokenizer.json"));
        StringBuilder lines = new StringBuilder("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
        for (int i = 5; i < 384; i++) {
            lines.append(i % 3 == 0 ? "##" : "").append("w").append(i).append('\n');
        }
        Files.writeString(folder.resolve("vocab.txt"), lines);
    }

    @Test
    void aVocabularyOfLinesIsRead() throws IOException {
        Path folder = place.resolve("old");
        copy(Models.DATA.resolve("folders/bert"), folder);
        asOfOld(folder);
        Path file = folder.resolve("out.gguf");
        Convert.folder(folder).to(file).run();
        try (ModelFile written = ModelFile.open(file)) {
            assertThat(written.tokenizer().encode("w5 w7w6".getBytes(StandardCharsets.UTF_8), true, false))
                    .containsExactly(5, 7, 6);
        }
        Files.writeString(folder.resolve("vocab.txt"), "x\n".repeat(2000), StandardCharsets.UTF_8);
        assertThat(refusal(folder)).isInstanceOf(PunaException.class).hasMessageContaining("vocab.txt");
    }

    /**
     * Any file may be damaged: only what is documented may be thrown, in bounded time, by the conversion, and by who
     * opens what came of it.
     */
    @Seeded
    void anyFileMayBeDamaged(Random random) throws IOException {
        long end = System.nanoTime() + EACH.toNanos();
        String[] folders = {"llama", "llama_spm", "mistral", "gpt2", "bert", "t5", "qwen3moe", "gemma3", "roberta"};
        int tried = 0;
        int written = 0;
        for (; System.nanoTime() < end || tried == 0; tried++) {
            Path folder = place.resolve("any-" + tried);
            String name = folders[random.nextInt(folders.length)];
            copy(Models.DATA.resolve("folders").resolve(name), folder);
            if (name.equals("bert") && random.nextBoolean()) {
                asOfOld(folder);
            }
            List<Path> files;
            try (Stream<Path> all = Files.list(folder)) {
                files = all.sorted().toList();
            }
            Path file = files.get(random.nextInt(files.size()));
            Files.write(file, damaged(Files.readAllBytes(file), random));
            long start = System.nanoTime();
            try {
                Convert.folder(folder).to(folder.resolve("out.gguf")).run();
                written++;
                try (ModelFile opened = ModelFile.open(folder.resolve("out.gguf"))) {
                    opened.tokenizer().encode("Some text, 123".getBytes(StandardCharsets.UTF_8), true, true);
                    opened.plan(o -> {});
                }
            } catch (PunaException documented) {
                assertThat(String.valueOf(documented.getMessage())).hasSizeGreaterThan(5);
                assertThat(left(folder)).hasSizeLessThan(2);
            } catch (RuntimeException | Error thrown) {
                fail(file + " damaged: this is not to be thrown", thrown);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(MOST);
        }
        System.out.printf("folders: %d tried, %d converted%n", tried, written);
    }
}
