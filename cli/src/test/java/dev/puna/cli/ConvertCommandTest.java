// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code puna convert}. */
class ConvertCommandTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path place;

    private static String folder(String name) {
        return Cli.DATA.resolve("folders").resolve(name).toString();
    }

    @Test
    void theFileIsPrintedAndRuns() {
        String file = place.resolve("l.gguf").toString();
        assertThat(Cli.run("convert", folder("llama"), "-o", file, "--type", "q8_0", "--name", "Tiny")
                        .succeeded()
                        .out())
                .isEqualTo(file + System.lineSeparator());
        assertThat(Cli.run(
                                "convert",
                                folder("bert"),
                                "-o",
                                place.resolve("b.gguf").toString())
                        .succeeded()
                        .err())
                .doesNotContain("warning");
        assertThat(Cli.run("info", file).succeeded().out()).contains("\"Tiny\"", "Q8_0");
        assertThat(Cli.run("tokenize", "-m", file, "It's").succeeded().out()).isNotEmpty();
    }

    /** What its configuration asks for is written as it is; whether it can be run is another question. */
    @Test
    void aFileThatCannotBeLoadedIsWarnedOf() throws IOException {
        Path copy = Files.createDirectories(place.resolve("odd"));
        try (Stream<Path> files = Files.list(Path.of(folder("qwen2")))) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        Path config = copy.resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains("\"rms_norm_eps\": 1e-06");
        Files.writeString(config, text.replace("\"rms_norm_eps\": 1e-06", "\"rms_norm_eps\": 7.5"));
        String file = place.resolve("odd.gguf").toString();
        Cli.Result result = Cli.run("convert", copy.toString(), "-o", file);
        assertThat(result.status()).isZero();
        assertThat(result.out()).isEqualTo(file + System.lineSeparator());
        assertThat(result.err()).contains("warning: the file is written, but can't be loaded here", "epsilon");
    }

    @Test
    void mistakesAreSentences() throws IOException {
        String file = place.resolve("x.gguf").toString();
        Cli.run("convert").wrongUsage("FOLDER");
        Cli.run("convert", folder("llama"), "--type", "Q9").wrongUsage("\"Q9\" is none of SOURCE, F32, F16");
        Cli.run("convert", place.resolve("none").toString(), "-o", file).failed("none: no such folder", "config.json");
        Cli.run("convert", Cli.CHAT, "-o", file).failed("is no folder");
        Cli.run("convert", place.toString(), "-o", file).failed("config.json: no such file");
        Cli.run("convert", folder("llama"), "-o", place.resolve("no/x.gguf").toString())
                .failed("x.gguf");
        assertThat(Files.exists(Path.of(file))).isFalse();
    }
}
