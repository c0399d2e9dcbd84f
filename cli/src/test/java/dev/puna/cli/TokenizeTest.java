// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** {@code puna tokenize}, on files that hold a vocabulary alone. */
class TokenizeTest {
    private static String vocabulary(String name) {
        return Cli.DATA.resolve("tokenizer").resolve(name + ".gguf").toString();
    }

    private static String ids(Cli.Result result) {
        return result.succeeded().json().valueStream().map(JsonNode::asString).collect(Collectors.joining(" "));
    }

    private static byte[] unescaped(String line) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < line.length(); i++) {
            if (line.charAt(i) != '\\') {
                text.append(line.charAt(i));
                continue;
            }
            switch (line.charAt(++i)) {
                case 'n' -> text.append('\n');
                case 'r' -> text.append('\r');
                case 't' -> text.append('\t');
                case 'x' -> {
                    text.append((char) Integer.parseInt(line.substring(i + 1, i + 3), 16));
                    i += 2;
                }
                default -> text.append(line.charAt(i));
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "smollm", "llama-bpe", "qwen2"})
    void idsAreTheRecordedOnes(String name) throws IOException {
        String[] lines =
                Files.readString(Cli.DATA.resolve("tokenizer/strings.txt")).split("\n");
        String[] expected =
                Files.readString(Cli.DATA.resolve("tokenizer/" + name + ".ids")).split("\n", -1);
        for (int i = 0;
                i < lines.length;
                i += Math.max(1, lines.length / 40)) { // all of them: the tokenizer's own tests
            Cli.Result result = Cli.run(unescaped(lines[i]), "tokenize", "-m", vocabulary(name), "--json");
            assertThat(ids(result)).as(lines[i]).isEqualTo(expected[i]);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "qwen2"})
    void controlTokensOnlyWhenAskedFor(String name) throws IOException {
        String[] lines =
                Files.readString(Cli.DATA.resolve("tokenizer/special.txt")).split("\n");
        String[] on = Files.readString(Cli.DATA.resolve("tokenizer/" + name + ".special_on.ids"))
                .split("\n", -1);
        String[] off = Files.readString(Cli.DATA.resolve("tokenizer/" + name + ".special_off.ids"))
                .split("\n", -1);
        for (int i = 0; i < lines.length; i += Math.max(1, lines.length / 20)) {
            byte[] text = unescaped(lines[i]);
            assertThat(ids(Cli.run(text, "tokenize", "-m", vocabulary(name), "--json", "--special")))
                    .as(lines[i])
                    .isEqualTo(on[i]);
            assertThat(ids(Cli.run(text, "tokenize", "-m", vocabulary(name), "--json")))
                    .as(lines[i])
                    .isEqualTo(off[i]);
        }
    }

    @Test
    void argumentAndInputAreTheSame() {
        String text = "Hello, wörld!\n 안녕 😀";
        assertThat(ids(Cli.runWith(text, "tokenize", "-m", vocabulary("qwen2"), "--json")))
                .isEqualTo(ids(Cli.run("tokenize", "-m", vocabulary("qwen2"), "--json", text)))
                .isNotEmpty();
        assertThat(ids(Cli.run("tokenize", "-m", vocabulary("qwen2"), "--json", "")))
                .isEmpty();
    }

    @Test
    void bytesThatAreNoTextKeepTheirTokens() {
        byte[] bytes = {'a', (byte) 0xff, (byte) 0xc3, 'b'};
        Cli.Result result = Cli.run(bytes, "tokenize", "-m", vocabulary("gpt-2"));
        assertThat(result.succeeded().out()).contains("\\xff", "\\xc3");
        assertThat(result.out().strip().lines()).hasSize(4);
    }

    @Test
    void theTableSpellsTokens() {
        Cli.Result result = Cli.run("tokenize", "-m", Cli.CHAT, "--special", "Hello\n<|im_end|>");
        assertThat(result.succeeded().out().lines().map(String::strip))
                .containsExactly("595  \"Hello\"", "203  \"\\n\"", "2  \"<|im_end|>\"");
    }
}
