// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        assertThat(Cli.run("info", file).succeeded().out()).contains("\"Tiny\"", "Q8_0");
        assertThat(Cli.run("tokenize", "-m", file, "It's").succeeded().out()).isNotEmpty();
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
