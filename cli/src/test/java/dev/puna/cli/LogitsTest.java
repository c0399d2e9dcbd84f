// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code puna logits} against what transformers computed. */
class LogitsTest {
    @TempDir
    Path folder;

    private FloatBuffer logits(Path file) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(file))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "llama_linear", "llama_llama3", "llama_biased"})
    void agreeWithTheReference(String name) throws IOException {
        Goldens goldens = Goldens.of(name);
        Path file = folder.resolve("logits.f32");
        for (String prompt : new String[] {"1", "7", "33"}) {
            String ids = goldens.raw(prompt, "ids").replace(' ', ',');
            Cli.run("logits", "-m", Cli.model(name), "--tokens", ids, "-o", file.toString())
                    .succeeded();
            double[] expected = goldens.reals(prompt, "logits_last");
            double[] means = goldens.reals(prompt, "logits_mean");
            FloatBuffer all = logits(file);
            assertThat(all.limit()).isEqualTo(means.length * expected.length);
            for (int i = 0; i < expected.length; i++) {
                assertThat((double) all.get((means.length - 1) * expected.length + i))
                        .isCloseTo(expected[i], within(1e-4));
            }
            for (int row = 0; row < means.length; row++) {
                double sum = 0;
                for (int i = 0; i < expected.length; i++) {
                    sum += all.get(row * expected.length + i);
                }
                assertThat(sum / expected.length).isCloseTo(means[row], within(1e-4));
            }
        }
    }

    @Test
    void cachesOfEightBitsAreNear() throws IOException {
        Goldens goldens = Goldens.of("llama");
        Path file = folder.resolve("logits.f32");
        String ids = goldens.raw("33", "ids").replace(' ', ',');
        Cli.run("logits", "-m", Cli.model("llama"), "--cache-type", "q8_0", "--tokens", ids, "-o", file.toString())
                .succeeded();
        double[] expected = goldens.reals("33", "logits_last");
        FloatBuffer all = logits(file);
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs(all.get(all.limit() - expected.length + i) - expected[i]));
        }
        assertThat(worst).isBetween(1e-4, 0.2);
        Cli.run("logits", "-m", Cli.model("llama"), "--cache-type", "q9", "--tokens", "1", "-o", file.toString())
                .wrongUsage("'q9' is none of");
    }

    @Test
    void threadsChangeNoBit() throws IOException {
        String ids = Goldens.of("llama_wide_q4_1").raw("130", "ids");
        Path list = Files.writeString(folder.resolve("ids.txt"), ids.replace(' ', '\n') + "\n");
        for (int threads = 1; threads <= 3; threads++) {
            String file = folder.resolve(threads + ".f32").toString();
            Cli.run(
                            "logits",
                            "-m",
                            Cli.model("llama_wide_q4_1"),
                            "--threads",
                            "" + threads,
                            "--tokens",
                            "@" + list,
                            "-o",
                            file)
                    .succeeded();
        }
        byte[] one = Files.readAllBytes(folder.resolve("1.f32"));
        assertThat(one).hasSizeGreaterThan(130 * 4);
        assertThat(folder.resolve("2.f32")).hasBinaryContent(one);
        assertThat(folder.resolve("3.f32")).hasBinaryContent(one);
    }

    @Test
    void theFileAppearsWhole() throws IOException {
        Path file = Files.writeString(folder.resolve("logits.f32"), "what was there");
        Cli.run("logits", "-m", Cli.model("llama"), "--tokens", "1,99999", "-o", file.toString())
                .failed("99999", "vocabulary");
        assertThat(file).hasContent("what was there");
        Cli.run("logits", "-m", Cli.model("llama"), "--tokens", "1,2", "-o", file.toString())
                .succeeded();
        assertThat(file).hasSize(2 * 384 * 4);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void badInputHasItsOwnSentence() {
        String file = folder.resolve("x").toString();
        Cli.run(
                        "logits",
                        "-m",
                        Cli.model("llama"),
                        "--tokens",
                        "1",
                        "-o",
                        folder.resolve("no/x").toString())
                .failed("there is no folder");
        Cli.run("logits", "-m", Cli.model("llama"), "--tokens", "1", "-o", folder.toString())
                .failed("is a folder");
        Cli.run("logits", "-m", Cli.model("llama"), "--tokens", "-1", "-o", file)
                .failed("-1");
        Cli.run("logits", "-m", Cli.model("llama"), "--tokens", "@" + file, "-o", file)
                .failed("no such file");
        Cli.run("logits", "-m", Cli.model("llama"), "--tokens", "a,b", "-o", file)
                .wrongUsage("--tokens takes");
        Cli.run("logits", "-m", Cli.model("llama"), "--tokens", "", "-o", file).wrongUsage("--tokens takes");
        Cli.run("logits", "-m", Cli.model("llama"), "--tokens", "1").wrongUsage("--output");
        assertThat(Path.of(file)).doesNotExist();
    }
}
