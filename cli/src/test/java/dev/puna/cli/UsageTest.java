// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Exit statuses, help, and models that are none. */
class UsageTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"chat", "run", "tokenize", "logits", "info", "bench", "pull", "list", "rm"})
    void everyCommandHasHelp(String command) {
        assertThat(Cli.run(command, "--help").succeeded().out()).startsWith("Usage: puna " + command);
        assertThat(Cli.run("help", command).succeeded().out()).startsWith("Usage: puna " + command);
        assertThat(Cli.run("--help").succeeded().out()).contains("  " + command);
        Cli.run(command, "--no-such-option").wrongUsage("puna " + command);
    }

    @Test
    void theVersionIsTheBuilds() {
        assertThat(Cli.run("--version").succeeded().out()).matches("puna \\d+\\.\\d+\\.\\d+\\S*\n");
    }

    @Test
    void completionNamesTheCommands() {
        assertThat(Cli.run("generate-completion").succeeded().out())
                .contains("_complete_puna", "tokenize", "--repeat-penalty");
    }

    @Test
    void wrongUse() {
        Cli.run().wrongUsage("which command");
        Cli.run("frobnicate").wrongUsage("frobnicate");
        Cli.run("pull").wrongUsage("REF");
        Cli.run("run", "-m", "a b", "Hello").wrongUsage("a b");
        Cli.run("run", "--seed", "x", "Hello").wrongUsage("--seed");
        Cli.run("run", "one", "two").wrongUsage("two");
    }

    @Test
    void aPromptMayBeginWithAnAt() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "--no-such-option");
        assertThat(Cli.run("tokenize", "-m", Cli.CHAT, "--json", "@" + file)
                        .succeeded()
                        .json()
                        .size())
                .isGreaterThan(3);
    }

    private String file(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content).toString();
    }

    @Test
    void whatIsNoModelHasItsOwnSentence() throws IOException {
        byte[] model = Files.readAllBytes(Path.of(Cli.model("llama")));
        String empty = file("empty.gguf", new byte[0]);
        String text = file("text.gguf", "This is no model.\n".getBytes(StandardCharsets.UTF_8));
        String truncated = file("truncated.gguf", Arrays.copyOf(model, 5000));
        String cut = file("cut.gguf", Arrays.copyOf(model, model.length - 1000));
        for (String[] command : new String[][] {{"run", "-n", "4"}, {"tokenize"}, {"chat"}}) {
            fails(command, "/no/such/file.gguf", "there is no file");
            fails(command, folder.toString() + "/", "is a folder");
            fails(command, empty, "empty");
            fails(command, text, "not a GGUF file");
            fails(command, truncated, "truncated");
            fails(command, "nosuchname", "no model is named 'nosuchname'");
        }
        fails(new String[] {"run", "-n", "4"}, cut, "cut.gguf");
        fails(new String[] {"run"}, Cli.DATA.resolve("tokenizer/gpt-2.gguf").toString(), "gpt");
    }

    private static void fails(String[] command, String model, String words) {
        String[] all = Arrays.copyOf(command, command.length + 2);
        all[command.length] = "-m";
        all[command.length + 1] = model;
        Cli.runWith("Hello\n", all).failed(words);
    }

    /** A stream that fails as a full disk, or a reader that left, does. */
    private record Broken(String reason) {
        Cli.Result tokenize() {
            OutputStream out = new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw new IOException(reason);
                }
            };
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            String[] command = {"tokenize", "-m", Cli.CHAT, "Hello"};
            int status = Main.run(command, Streams.of(InputStream.nullInputStream(), out, err));
            return new Cli.Result(status, new byte[0], err.toString(StandardCharsets.UTF_8));
        }
    }

    @Test
    void outputThatCannotBeWritten() {
        new Broken("No space left on device").tokenize().failed("standard output cannot be written");
        new Broken("Broken pipe").tokenize().succeeded();
    }
}
