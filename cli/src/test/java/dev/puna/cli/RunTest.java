// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** {@code puna run} on the tiny model that knows conversations by heart. */
class RunTest {
    private static final Goldens GOLDENS = Goldens.of("tiny-chat");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Hello",
                "Count to twenty.",
                "Smile!",
                "안녕하세요",
                "Write some code.",
                "Tell me a story about a ferry."
            })
    void answersAreTheGoldenOnes(String question) {
        Cli.Result result = Cli.run("run", "-m", Cli.CHAT, "--chat", "--temperature", "0", question);
        assertThat(result.succeeded().out()).isEqualTo(GOLDENS.text(question, "answer"));
    }

    @Test
    void aSystemMessageCounts() {
        String[] command = {
            "run", "-m", Cli.CHAT, "--chat", "--temperature", "0", "--system", "You are a pirate.", "Hello"
        };
        assertThat(Cli.run(command).succeeded().out()).isEqualTo(GOLDENS.text("You are a pirate. / Hello", "answer"));
    }

    @Test
    void standardInputIsThePromptAsItIs() {
        String[] command = {"run", "-m", Cli.CHAT, "-n", "20", "--temperature", "0"};
        String[] withPrompt = Arrays.copyOf(command, command.length + 1);
        withPrompt[command.length] = "The ferry between\nthe island";
        Cli.Result read = Cli.runWith("The ferry between\nthe island", command).succeeded();
        assertThat(read.bytes())
                .isNotEmpty()
                .isEqualTo(Cli.run(withPrompt).succeeded().bytes());
    }

    @Test
    void jsonTellsEverything() {
        JsonNode json = Cli.run(
                        "run", "-m", Cli.CHAT, "--chat", "--temperature", "0", "--json", "--logprobs", "3", "Say yes.")
                .succeeded()
                .json();
        assertThat(json.get("text").asString()).isEqualTo("Yes.");
        int[] expected = GOLDENS.integers("Say yes.", "continuation");
        assertThat(json.get("tokens").valueStream().mapToInt(JsonNode::asInt)).containsExactly(box(expected));
        assertThat(json.get("stop_reason").asString()).isEqualTo("end");
        JsonNode usage = json.get("usage");
        assertThat(usage.get("prompt_tokens").asInt()).isEqualTo(GOLDENS.integers("Say yes.", "ids").length);
        assertThat(usage.get("generated_tokens").asInt()).isEqualTo(expected.length);
        assertThat(json.get("timings").get("prompt_ms").asDouble()).isPositive();
        JsonNode first = json.get("logprobs").get(0);
        assertThat(first.get("id").asInt()).isEqualTo(expected[0]);
        assertThat(first.get("logprob").asDouble()).isBetween(-0.1, 0.0);
        assertThat(first.get("top").size()).isEqualTo(3);
        assertThat(first.get("top").get(0).get("id").asInt()).isEqualTo(expected[0]);
    }

    @Test
    void aFullContextGoesOnWhereThatIsWanted() {
        String question = "Tell me a story about a ferry."; // 373 tokens
        String[] command = {
            "run", "-m", Cli.CHAT, "--chat", "--json", "--temperature", "0", "-n", "300", "--context", "200", question
        };
        JsonNode json = Cli.run(command).succeeded().json();
        assertThat(json.get("stop_reason").asString()).isEqualTo("context");
        assertThat(json.get("usage").get("dropped_tokens").asInt()).isZero();
        String[] shifting = Arrays.copyOf(command, command.length + 3);
        shifting[command.length] = "--context-shift";
        shifting[command.length + 1] = "--cache-type";
        shifting[command.length + 2] = "f32";
        json = Cli.run(shifting).succeeded().json();
        assertThat(json.get("stop_reason").asString()).isIn("length", "end");
        assertThat(json.get("usage").get("dropped_tokens").asInt()).isPositive();
        assertThat(json.get("tokens").size()
                        + json.get("usage").get("prompt_tokens").asInt())
                .isGreaterThan(200);
    }

    private static Integer[] box(int[] values) {
        return Arrays.stream(values).boxed().toArray(Integer[]::new);
    }

    @Test
    void theReportedSeedGivesTheSameTokensAgain() {
        String[] command = {
            "run",
            "-m",
            Cli.CHAT,
            "-n",
            "40",
            "--temperature",
            "3",
            "--top-k",
            "0",
            "--top-p",
            "1",
            "--min-p",
            "0",
            "--json",
            "Hello"
        };
        JsonNode first = Cli.run(command).succeeded().json();
        String[] seeded = Arrays.copyOf(command, command.length + 2);
        seeded[command.length] = "--seed";
        seeded[command.length + 1] = first.get("seed").asString();
        assertThat(Cli.run(seeded).json().get("tokens")).isEqualTo(first.get("tokens"));
        assertThat(Cli.run(command).json().get("tokens")).isNotEqualTo(first.get("tokens"));
    }

    @Test
    void boundsEndTheText() {
        JsonNode cut = Cli.run(
                        "run", "-m", Cli.CHAT, "--chat", "--temperature", "0", "-n", "5", "--json", "Count to twenty.")
                .json();
        assertThat(cut.get("stop_reason").asString()).isEqualTo("length");
        assertThat(cut.get("tokens").size()).isEqualTo(5);
        Cli.Result stopped =
                Cli.run("run", "-m", Cli.CHAT, "--chat", "--temperature", "0", "--stop", ", 7", "Count to twenty.");
        assertThat(stopped.succeeded().out()).isEqualTo("1, 2, 3, 4, 5, 6");
    }

    @Test
    void threadsChangeNothing() {
        String[] command = {
            "run", "-m", Cli.model("llama_q4_1"), "-n", "30", "--seed", "7", "--threads", "1", "--json", "abc"
        };
        JsonNode one = Cli.run(command).succeeded().json();
        command[8] = "3";
        assertThat(Cli.run(command).succeeded().json().get("tokens")).isEqualTo(one.get("tokens"));
    }

    @Test
    void badInputHasItsOwnSentence() {
        Cli.run("run", "-m", Cli.CHAT, "").failed("the prompt is empty");
        Cli.run("run", "-m", Cli.CHAT).failed("the prompt is empty");
        Cli.run(
                        "run",
                        "-m",
                        Cli.CHAT,
                        "--context",
                        "8",
                        "a prompt that is longer than the context of eight tokens, or not?")
                .failed("the context of 8", "--context");
        Cli.run("run", "-m", Cli.CHAT, "--context", "1000000000", "Hello").failed("more than this machine's memory");
        Cli.run("run", "-m", Cli.CHAT, "--temperature", "NaN", "Hello").wrongUsage("--temperature is NaN");
        Cli.run("run", "-m", Cli.CHAT, "--top-p", "1.5", "Hello").wrongUsage("--top-p is 1.5");
        Cli.run("run", "-m", Cli.CHAT, "--stop", "", "Hello").wrongUsage("--stop text is empty");
        Cli.run("run", "-m", Cli.CHAT, "-n", "0", "Hello").wrongUsage("--max-tokens is 0");
        Cli.run("run", "-m", Cli.CHAT, "--threads", "0", "Hello").wrongUsage("--threads is 0");
        Cli.run("run", "-m", Cli.CHAT, "--logprobs", "3", "Hello").wrongUsage("--logprobs needs --json");
        Cli.run("run", "-m", Cli.CHAT, "--system", "Be.", "Hello").wrongUsage("--system needs --chat");
        Cli.run("run", "-m", Cli.CHAT, "--repeat-penalty", "-1", "Hello").wrongUsage("--repeat-penalty is -1.0");
    }

    @Test
    void anAnswerCanHaveAForm(@TempDir Path folder) throws IOException {
        Path schema = Files.writeString(
                folder.resolve("s.json"),
                "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2,\"maxItems\":2}");
        JsonNode answer = Cli.run("run", "-m", Cli.CHAT, "--json-schema", schema.toString(), "Two truths:")
                .succeeded()
                .json();
        assertThat(answer.size()).isEqualTo(2);
        assertThat(answer.get(1).isBoolean()).isTrue();
        Path grammar = Files.writeString(folder.resolve("g.gbnf"), "root ::= \"a\" [bc]{3}\n");
        assertThat(Cli.run("run", "-m", Cli.CHAT, "--grammar", grammar.toString(), "x")
                        .succeeded()
                        .out())
                .matches("a[bc]{3}");
        assertThat(Cli.run("run", "-m", Cli.CHAT, "--chat", "--regex", "\\d{4}", "x")
                        .succeeded()
                        .out())
                .matches("\\d{4}");
    }

    @Test
    void aFormThatIsNoneIsOneSentence(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("x"), "{\"not\": {}}");
        Cli.run("run", "-m", Cli.CHAT, "--json-schema", file.toString(), "x").failed("#/not");
        Cli.run("run", "-m", Cli.CHAT, "--grammar", file.toString(), "x").failed("line 1");
        Cli.run("run", "-m", Cli.CHAT, "--regex", "(", "x").failed("offset");
        Cli.run("run", "-m", Cli.CHAT, "--grammar", folder.resolve("none").toString(), "x")
                .failed("there is no file");
        Cli.run("run", "-m", Cli.CHAT, "--grammar", file.toString(), "--regex", "a", "x")
                .wrongUsage("exclusive");
    }
}
