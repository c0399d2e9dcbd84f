// SPDX-License-Identifier: Apache-2.0
package dev.puna.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.CacheType;
import dev.puna.Context;
import dev.puna.Model;
import dev.puna.ModelFile;
import dev.puna.PunaException;
import dev.puna.Sampler;
import dev.puna.testing.ChildJvm;
import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tiny folders that transformers saved, compared with llama.cpp's converter and with the logits of transformers. */
class ConvertTest {
    private static final Path FOLDERS = Models.DATA.resolve("folders");

    /** Without logits: ConvertedEncodersTest compares their states. */
    private static final List<String> ENCODERS =
            List.of("bert", "roberta", "distilbert", "xlm_roberta", "xlm_roberta_rank", "t5encoder");

    /** Where we differ, and why: by folder and key. */
    private static final Map<String, String> OTHERWISE = Map.ofEntries(
            Map.entry("falcon falcon.context_length", "llama.cpp writes 2048 for all, the configuration says it"),
            Map.entry("falcon_new falcon.context_length", "llama.cpp writes 2048 for all, the configuration says it"),
            Map.entry("gemma tokenizer.ggml.eot_token_id", "llama.cpp gives CodeGemma's to all"),
            Map.entry("mistral tokenizer.ggml.scores", "llama.cpp gives all tokens of a tokenizer.json one score"),
            Map.entry(
                    "mistral tokenizer.ggml.tokens", "llama.cpp leaves out what the embeddings have beyond the tokens"),
            Map.entry("mistral tokenizer.ggml.token_type", "likewise"),
            Map.entry(
                    "t5encoder t5encoder.attention.layer_norm_epsilon", "llama.cpp writes that of its RMS norms twice"),
            Map.entry(
                    "xlm_roberta_rank tokenizer.ggml.add_space_prefix",
                    "llama.cpp asks transformers' class, the definition says it"),
            Map.entry("xlm_roberta_rank tokenizer.ggml.remove_extra_whitespaces", "likewise"),
            Map.entry(
                    "xlm_roberta tokenizer.ggml.tokens",
                    "llama.cpp leaves out the mask where SentencePiece's model stands alone"),
            Map.entry("xlm_roberta tokenizer.ggml.scores", "likewise"),
            Map.entry("xlm_roberta tokenizer.ggml.token_type", "likewise"));

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path place;

    static List<String> folders() throws IOException {
        try (Stream<Path> files = Files.list(FOLDERS)) {
            return files.filter(Files::isDirectory)
                    .map(folder -> Objects.requireNonNull(folder.getFileName()).toString())
                    .sorted()
                    .toList();
        }
    }

    static List<String> recorded() throws IOException {
        return folders().stream()
                .filter(name -> Files.exists(FOLDERS.resolve(name + ".gguf.txt")))
                .toList();
    }

    private Path convert(String name, WeightType type) {
        return convert(name, type, true);
    }

    private Path convert(String name, WeightType type, boolean exactly) {
        Path file = place.resolve(name + "-" + type + ".gguf");
        Converted converted =
                Convert.folder(FOLDERS.resolve(name)).to(file).type(type).run();
        assertThat(converted.file()).isEqualTo(file).exists();
        assertThat(!exactly || converted.type() == type).isTrue();
        return file;
    }

    private static String digest(byte[] bytes) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes))
                    .substring(0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String spelled(Object value) {
        return switch (value) {
            case Boolean truth -> truth ? "1" : "0";
            case Double real -> String.format("%08x", Float.floatToRawIntBits(real.floatValue()));
            default -> value.toString().replace("\n", "\\n");
        };
    }

    /** As tools/record_converter.py spells entries. */
    private static String entry(ModelFile.Entry entry) {
        if (entry.type() != ModelFile.Type.ARRAY) {
            return entry.type() + "\t" + spelled(entry.value(0));
        }
        List<String> elements = new ArrayList<>();
        for (long i = 0; i < entry.count(); i++) {
            elements.add(spelled(entry.value(i)));
        }
        return "ARRAY/" + entry.elementType() + "\t" + entry.count() + " "
                + digest(String.join("\n", elements).getBytes(StandardCharsets.UTF_8));
    }

    private static Map<String, String> sums(Path path) throws IOException {
        Map<String, String> sums = new LinkedHashMap<>();
        try (ModelFile file = ModelFile.open(path);
                RandomAccessFile bytes = new RandomAccessFile(path.toFile(), "r")) {
            for (ModelFile.Tensor tensor : file.tensors()) {
                byte[] data = new byte[Math.toIntExact(tensor.bytes())];
                bytes.seek(tensor.offset());
                bytes.readFully(data);
                sums.put(tensor.name(), tensor.type() + ":" + digest(data));
            }
        }
        return sums;
    }

    @Test
    void thereAreFoldersOfAllFamilies() throws IOException {
        assertThat(recorded()).hasSizeGreaterThan(29);
        assertThat(folders()).hasSizeGreaterThan(31);
    }

    @ParameterizedTest
    @MethodSource("recorded")
    void metadataAndTensorsAreThoseOfLlamaCpp(String name) throws IOException {
        Path plain = convert(name, WeightType.F32);
        Map<String, String> quantized = sums(convert(name, WeightType.Q8_0));
        Map<String, String> sums = sums(plain);
        Map<String, String> entries = new LinkedHashMap<>();
        Map<String, String> shapes = new LinkedHashMap<>();
        try (ModelFile file = ModelFile.open(plain)) {
            file.metadata().forEach(entry -> entries.put(entry.key(), entry(entry)));
            file.tensors()
                    .forEach(t -> shapes.put(
                            t.name(),
                            String.join(
                                    "x", t.shape().stream().map(String::valueOf).toList())));
        }
        SoftAssertions all = new SoftAssertions();
        int tensors = 0;
        for (String line : Golden.lines(FOLDERS.resolve(name + ".gguf.txt"))) {
            String[] words = line.split("\t", -1);
            String key = words[1];
            if (words[0].equals("tensor")) {
                tensors++;
                all.assertThat(shapes).as(key).containsEntry(key, words[2]);
                // computed there in single precision; their effect is in the logits
                boolean there = key.equals("rope_freqs.weight") || name.equals("mamba") && key.endsWith(".ssm_a");
                if (!there) {
                    all.assertThat(sums).as(key).containsEntry(key, words[3]);
                    all.assertThat(quantized).as(key).containsEntry(key, words[4]);
                }
            } else if (!OTHERWISE.containsKey(name + " " + key) && !key.equals("tokenizer.ggml.pre")) {
                all.assertThat(entries).containsEntry(key, words[2] + "\t" + words[3]);
            }
        }
        all.assertThat(shapes).hasSize(tensors);
        all.assertAll();
    }

    static List<String> decoders() throws IOException {
        return folders().stream().filter(name -> !ENCODERS.contains(name)).toList();
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void logitsAreThoseOfTransformers(String name) {
        Path path = convert(name, WeightType.F32);
        Golden golden = Objects.requireNonNull(
                Golden.cases(FOLDERS.resolve(name + ".golden")).get(name));
        int[] ids = golden.ids("ids");
        try (Model model = Model.load(path);
                Context context = model.newContext(o -> o.cacheType(CacheType.F32))) {
            float[] logits = name.equals("t5") ? answered(context, ids) : context.logits(ids, ids.length - 1);
            List<Float> expected = golden.floats("last");
            assertThat(logits).hasSize(expected.size());
            double worst = 0;
            for (int i = 0; i < logits.length; i++) {
                worst = Math.max(worst, Math.abs(logits[i] - expected.get(i)));
            }
            assertThat(worst).as("the largest difference").isLessThan(1e-4);
        }
    }

    /** What an encoder-decoder says after the first six tokens of its own source. */
    private static float[] answered(Context context, int[] ids) {
        List<float[]> last = new ArrayList<>();
        context.prompt(ids)
                .sampler(Sampler.greedy())
                .maxTokens(7)
                .ignoreEnd()
                .logits(l -> {
                    int count = l.tokens().length;
                    if (count == 6) {
                        last.add(l.toArray());
                    } else {
                        l.set(ids[count], 1e6f);
                    }
                })
                .text();
        return last.getFirst();
    }

    /** The vocabulary, with whatever says how words are cut, gives the ids that the folder's own tokenizer gives. */
    @ParameterizedTest
    @MethodSource("folders")
    void idsAreThoseOfTheTokenizer(String name) {
        Golden golden = Objects.requireNonNull(
                Golden.cases(FOLDERS.resolve(name + ".golden")).get(name));
        try (ModelFile file = ModelFile.open(convert(name, WeightType.SOURCE, false))) {
            byte[] text = golden.text("text").getBytes(StandardCharsets.UTF_8);
            assertThat(file.tokenizer().encode(text, false, false)).containsExactly(golden.ids("tokens"));
        }
    }

    @Test
    void theFolderAndTypeAreTheDefaults() throws IOException {
        Converted converted = Convert.folder(FOLDERS.resolve("gptneox"))
                .to(place.resolve("x.gguf"))
                .name("Grüße")
                .run();
        assertThat(converted.type()).isEqualTo(WeightType.F16);
        assertThat(converted.architecture()).isEqualTo("gptneox");
        assertThat(converted.parameters()).isGreaterThan(10_000);
        try (ModelFile file = ModelFile.open(converted.file())) {
            assertThat(file.tensors()).hasSize(converted.tensors());
            assertThat(file.metadata()).anyMatch(entry -> entry.toString().equals("general.name: Grüße"));
        }
        Convert unsaid = Convert.folder(FOLDERS.resolve("gptneox"));
        assertThatThrownBy(unsaid::run)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("to(path)");
    }

    /** A file of 4 or 5 bits keeps 8 for the output matrix; what comes of it can be loaded and run. */
    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "BF16", "F16"})
    void eachTypeIsWritten(WeightType type) {
        Path path = convert("llama", type);
        try (ModelFile file = ModelFile.open(path);
                Model model = Model.load(path)) {
            String last = type.name().startsWith("Q") ? "Q8_0" : type.name();
            assertThat(file.tensors())
                    .anyMatch(t -> t.name().equals("output.weight") && t.type().equals(last));
            assertThat(file.tensors())
                    .anyMatch(t ->
                            t.name().equals("blk.1.ffn_up.weight") && t.type().equals(type.name()));
            assertThat(model.prompt("The").maxTokens(4).reply().usage().generatedTokens())
                    .isPositive();
        }
    }

    /** A folder whose weights are a few hundred megabytes of nothing. */
    private Path large() throws IOException {
        Path folder = Files.createDirectories(place.resolve("large"));
        for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(FOLDERS.resolve("qwen2").resolve(file), folder.resolve(file));
        }
        byte[] small = Files.readAllBytes(FOLDERS.resolve("qwen2/model.safetensors"));
        int length = ByteBuffer.wrap(small).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
        String header = new String(small, 8, length, StandardCharsets.UTF_8);
        long rows = 4_000_000;
        long at = small.length - 8 - length;
        String wide = header.replaceFirst(
                "(mlp\\.gate_proj\\.weight\":\\{\"dtype\":\"BF16\",)\"shape\":\\[64,32\\],\"data_offsets\":\\[\\d+,\\d+\\]",
                "$1\"shape\":[" + rows + ",32],\"data_offsets\":[" + at + "," + (at + rows * 64) + "]");
        assertThat(wide).isNotEqualTo(header);
        byte[] text = wide.getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile out =
                new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
            ByteBuffer front =
                    ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length);
            out.write(front.array());
            out.write(text);
            out.write(small, 8 + length, small.length - 8 - length);
            out.setLength(8 + text.length + at + rows * 64);
        }
        return folder;
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(place)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> String.valueOf(file.getFileName()))
                    .toList();
        }
    }

    @Test
    void aListenerThatThrowsCancels() throws IOException {
        Path file = Files.writeString(place.resolve("x.gguf"), "old");
        List<Long> heard = new ArrayList<>();
        Convert conversion = Convert.folder(large())
                .to(file)
                .type(WeightType.Q8_0)
                .onProgress(progress -> {
                    heard.add(progress.done());
                    if (progress.done() > 0) {
                        assertThat(progress.total()).isGreaterThan(250_000_000);
                        throw new IllegalStateException("enough");
                    }
                });
        assertThatThrownBy(conversion::run)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("enough");
        assertThat(heard.getLast()).isPositive().isLessThan(250_000_000);
        assertThat(file).hasContent("old");
        assertThat(files()).containsExactly("x.gguf");
    }

    @Test
    void anInterruptCancels() throws IOException {
        Path file = place.resolve("x.gguf");
        Convert conversion = Convert.folder(large())
                .to(file)
                .type(WeightType.Q8_0)
                .onProgress(progress -> {
                    if (progress.done() > 0) {
                        Thread.currentThread().interrupt();
                    }
                });
        assertThatThrownBy(conversion::run).isInstanceOf(PunaException.class).hasMessageContaining("interrupted");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(files()).isEmpty();
    }

    /** 256 MB of weights in a process that may have 48 MB of buffers and as much on the heap. */
    @Test
    void weightsPassThroughMemory() throws IOException {
        ChildJvm.Result result = ChildJvm.run(
                ConvertMain.class,
                List.of("-Xmx48m", "-XX:MaxDirectMemorySize=48m"),
                large().toString(),
                place.resolve("x.gguf").toString());
        assertThat(result.status()).as(result.text()).isZero();
        assertThat(result.text()).contains("qwen2, Q4_0, 128");
    }
}
