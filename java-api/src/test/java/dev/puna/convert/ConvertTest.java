// SPDX-License-Identifier: Apache-2.0
package dev.puna.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.CacheType;
import dev.puna.Context;
import dev.puna.InvalidModelException;
import dev.puna.Model;
import dev.puna.ModelFile;
import dev.puna.UnsupportedModelException;
import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.io.IOException;
import java.io.RandomAccessFile;
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
import org.junit.jupiter.params.provider.MethodSource;

/** Tiny folders that transformers saved, compared with llama.cpp's converter and with the logits of transformers. */
class ConvertTest {
    private static final Path FOLDERS = Models.DATA.resolve("folders");

    /** Of architectures that this library is to learn. */
    private static final List<String> LATER =
            List.of("bert", "roberta", "distilbert", "t5", "qwen2moe", "qwen3moe", "olmoe", "mixtral");

    private static final List<String> ENCODERS = List.of("bert", "roberta", "distilbert", "t5");

    /** Where we differ, and why: by folder and key. */
    private static final Map<String, String> OTHERWISE = Map.of(
            "falcon falcon.context_length", "llama.cpp writes 2048 for all, the configuration says it",
            "falcon_new falcon.context_length", "llama.cpp writes 2048 for all, the configuration says it",
            "gemma tokenizer.ggml.eot_token_id", "llama.cpp gives CodeGemma's to all",
            "mistral tokenizer.ggml.scores", "llama.cpp gives all tokens of a tokenizer.json one score",
            "mistral tokenizer.ggml.tokens", "llama.cpp leaves out what the embeddings have beyond the tokens",
            "mistral tokenizer.ggml.token_type", "likewise");

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
        Path file = place.resolve(name + "-" + type + ".gguf");
        Converted converted =
                Convert.folder(FOLDERS.resolve(name)).to(file).type(type).run();
        assertThat(converted.file()).isEqualTo(file).exists();
        assertThat(converted.type()).isEqualTo(type);
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
        assertThat(recorded()).hasSizeGreaterThan(25);
        assertThat(folders()).hasSizeGreaterThan(27);
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
                            t.name(), String.join("x", t.shape().stream().map(String::valueOf).toList())));
        }
        SoftAssertions all = new SoftAssertions();
        int tensors = 0;
        for (String line : Golden.lines(FOLDERS.resolve(name + ".gguf.txt"))) {
            String[] words = line.split("\t", -1);
            String key = words[1];
            if (words[0].equals("tensor")) {
                tensors++;
                all.assertThat(shapes).as(key).containsEntry(key, words[2]);
                if (!key.equals("rope_freqs.weight")) { // computed there in single precision; its effect is in the logits
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

    @ParameterizedTest
    @MethodSource("folders")
    void logitsAreThoseOfTransformers(String name) {
        Path path = convert(name, WeightType.F32);
        Golden golden = Objects.requireNonNull(
                Golden.cases(FOLDERS.resolve(name + ".golden")).get(name));
        int[] ids = golden.ids("ids");
        try (Model model = Model.load(path);
                Context context = model.newContext(o -> o.cacheType(CacheType.F32))) {
            if (ENCODERS.contains(name)) {
                return; // its states are compared where encoders are
            }
            float[] logits = context.logits(ids, ids.length - 1);
            List<Float> expected = golden.floats("last");
            assertThat(logits).hasSize(expected.size());
            double worst = 0;
            for (int i = 0; i < logits.length; i++) {
                worst = Math.max(worst, Math.abs(logits[i] - expected.get(i)));
            }
            assertThat(worst).as("the largest difference").isLessThan(1e-4);
        } catch (UnsupportedModelException | InvalidModelException e) {
            assertThat(name).as("not to be run yet: %s", e.getMessage()).isIn(LATER);
        }
    }
}
