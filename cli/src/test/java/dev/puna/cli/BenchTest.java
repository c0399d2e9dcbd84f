// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.puna.Context;
import dev.puna.Model;
import java.nio.file.Path;
import java.util.Arrays;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code puna bench}. */
class BenchTest {
    private static JsonNode bench(String... more) {
        String[] command = {"bench", "-m", Cli.model("llama"), "--repeat", "2", "--threads", "1", "--json"};
        String[] all = Arrays.copyOf(command, command.length + more.length);
        System.arraycopy(more, 0, all, command.length, more.length);
        return Cli.run(all).succeeded().json();
    }

    @Test
    void jsonHasItsForm() {
        JsonNode json = bench("--prompt", "64", "--generate", "16", "--depth", "32", "--parallel", "2");
        assertThat(json.propertyNames()).containsExactly("machine", "runs");
        assertThat(json.get("machine").get("tier").asString()).isIn("ref", "avx2", "avxvnni", "avx512");
        assertThat(json.get("runs").size()).isEqualTo(2);
        JsonNode prompt = json.get("runs").get(0);
        assertThat(prompt.propertyNames())
                .containsExactly("test", "tokens", "depth", "parallel", "threads", "tokens_per_second");
        assertThat(prompt.get("test").asString()).isEqualTo("prompt");
        assertThat(prompt.get("tokens").asInt()).isEqualTo(64);
        JsonNode generate = json.get("runs").get(1);
        assertThat(generate.get("test").asString()).isEqualTo("generate");
        assertThat(generate.get("tokens").asInt()).isEqualTo(16);
        assertThat(generate.get("depth").asInt()).isEqualTo(32);
        assertThat(generate.get("parallel").asInt()).isEqualTo(2);
        assertThat(generate.get("threads").asInt()).isEqualTo(1);
        JsonNode rate = generate.get("tokens_per_second");
        assertThat(rate.propertyNames()).containsExactly("median", "min", "max");
        assertThat(rate.get("min").asDouble())
                .isPositive()
                .isLessThanOrEqualTo(rate.get("median").asDouble());
        assertThat(rate.get("max").asDouble())
                .isGreaterThanOrEqualTo(rate.get("median").asDouble());
    }

    @Test
    void aProfileTellsWhereTheTimeWent() {
        JsonNode runs = bench("--prompt", "64", "--generate", "16", "--depth", "64", "--profile")
                .get("runs");
        for (JsonNode run : runs) {
            JsonNode profile = run.get("profile");
            assertThat(profile.propertyNames())
                    .containsExactly(
                            "tokens",
                            "batches",
                            "seconds",
                            "engine_seconds",
                            "computing_seconds",
                            "ceilings",
                            "phases",
                            "ops");
            boolean prompt = run.get("test").asString().equals("prompt");
            assertThat(profile.get("tokens").asInt()).isEqualTo(prompt ? 64 : 17);
            assertThat(profile.get("batches").asInt()).isEqualTo(prompt ? 1 : 17);
            assertThat(profile.get("ceilings").get("bytes_per_second").asDouble())
                    .isPositive();
            double sum = 0;
            for (JsonNode phase : profile.get("phases")) {
                assertThat(phase.get("part").asString()).isEqualTo("model");
                assertThat(phase.get("name").asString()).isNotEmpty();
                sum += phase.get("seconds").asDouble()
                        + phase.get("barrier_seconds").asDouble();
            }
            assertThat(sum)
                    .isPositive()
                    .isLessThanOrEqualTo(profile.get("computing_seconds").asDouble() + 1e-9);
            assertThat(profile.get("ops").valueStream().map(op -> op.get("name").asString()))
                    .contains("linear", "attend", "rotary");
        }
    }

    @Test
    void aProfileForPeople() {
        String[] command = {
            "bench", "-m", Cli.model("llama_q8_0"), "--prompt", "16", "--generate", "4", "--repeat", "1", "--profile"
        };
        String[] lines = Cli.run(command).succeeded().out().split("\\R");
        assertThat(lines)
                .anyMatch(line -> line.matches("prompt 16, depth 0, parallel 1, threads \\d+: [0-9.]+ ms a token: .*"))
                .anyMatch(line -> line.matches("generate 4, depth 0, .*% computing, .*% Java"))
                .anyMatch(line -> line.matches("at most [0-9.]+ GB/s, .*"))
                .anyMatch(line -> line.matches("PHASE +CALLS +MS/TOKEN +TIME +BARRIER +IDLE +GB/S .*"))
                .anyMatch(line -> line.matches("linear \\d+>\\d+\\S* +\\d+ +[0-9.]+ +[0-9.]+% .*"))
                .anyMatch(line -> line.startsWith("threads' time by op: ") && line.contains("linear "));
    }

    @Test
    void aCountOfNothingLeavesATestOut() {
        assertThat(bench("--prompt", "0", "--generate", "4")
                        .get("runs")
                        .get(0)
                        .get("test")
                        .asString())
                .isEqualTo("generate");
        assertThat(bench("--prompt", "4", "--generate", "0").get("runs").size()).isEqualTo(1);
        assertThat(bench("--prompt", "0", "--generate", "0").get("runs").size()).isZero();
    }

    @Test
    void listsAreMeasuredOneByOne() {
        JsonNode runs = bench(
                        "--prompt",
                        "8,16",
                        "--generate",
                        "4",
                        "--depth",
                        "0,64",
                        "--parallel",
                        "1,3",
                        "--threads",
                        "1,2")
                .get("runs");
        assertThat(runs.valueStream()
                        .map(run -> run.get("test").asString().charAt(0) + " "
                                + run.get("tokens").asInt() + " "
                                + run.get("depth").asInt() + " "
                                + run.get("parallel").asInt() + " "
                                + run.get("threads").asInt())
                        .toList())
                .hasSize(16)
                .doesNotHaveDuplicates()
                .startsWith("p 8 0 1 1", "p 16 0 1 1", "g 4 0 1 1", "g 4 64 1 1", "p 8 0 3 1")
                .endsWith("g 4 64 3 2");
    }

    /** What an engine finds again in its cache is no rate: every repetition computes every token of its prompts. */
    @Test
    void everyRepetitionComputesAll() {
        try (Model model = Model.load(Path.of(Cli.model("llama_q8_0")));
                Context context =
                        model.newContext(options -> options.maxSequences(8).contextLength(2048))) {
            Bench bench = new Bench(context, 8, 3, false);
            assertThat(bench.prompt(200).min()).isPositive();
            assertThat(context.statistics().promptTokens()).isEqualTo(4 * 8 * 200);
            assertThat(context.statistics().cachedTokens()).isZero();
            Bench.Run run = bench.generate(16, 130);
            assertThat(run.min()).isPositive();
            long attempts = context.statistics().cachedTokens() / (8 * 128); // the depth's whole pages, once each
            assertThat(attempts).isGreaterThanOrEqualTo(4);
            assertThat(context.statistics().cachedTokens()).isEqualTo(attempts * 8 * 128);
            assertThat(context.statistics().promptTokens()).isEqualTo(4 * 8 * 200 + attempts * 8 * (130 + 3));
        }
    }

    @Test
    void plots(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("bench.svg");
        String out = Cli.run(
                        "bench",
                        "-m",
                        Cli.model("llama"),
                        "--prompt",
                        "0",
                        "--generate",
                        "4",
                        "--depth",
                        "0,32",
                        "--parallel",
                        "1,2,4",
                        "--repeat",
                        "1",
                        "--svg",
                        file.toString())
                .succeeded()
                .out();
        assertThat(out).contains("generate, tokens a second by parallel", "depth 0", "depth 32", "█");
        var picture = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(file.toFile())
                .getDocumentElement();
        assertThat(picture.getElementsByTagName("polyline").getLength()).isEqualTo(2);
        assertThat(picture.getElementsByTagName("polyline")
                        .item(0)
                        .getAttributes()
                        .getNamedItem("points")
                        .getNodeValue()
                        .split(" "))
                .hasSize(3);
        assertThat(picture.getTextContent()).contains("llama.gguf", "depth 32", "generate, tokens a second");
        Cli.run(
                        "bench",
                        "-m",
                        Cli.model("llama"),
                        "--prompt",
                        "4",
                        "--generate",
                        "0",
                        "--repeat",
                        "1",
                        "--svg",
                        folder.toString())
                .wrongUsage("--svg", "is no file in a folder that is there");
    }

    @Test
    void barsAreExactToAnEighth() {
        assertThat(BenchBars.bar(1)).isEqualTo("█".repeat(48));
        assertThat(BenchBars.bar(0.5 + 3 / 384.0)).isEqualTo("█".repeat(24) + "▍");
        assertThat(BenchBars.bar(1e-9)).isEqualTo("▏");
        assertThat(BenchBars.bar(0)).isEmpty();
    }

    @Test
    void axesHaveRoundSteps() {
        assertThat(BenchPlot.step(500, 5)).isEqualTo(100);
        assertThat(BenchPlot.step(501, 5)).isEqualTo(200);
        assertThat(BenchPlot.step(1100, 5)).isEqualTo(250);
        assertThat(BenchPlot.step(0.7, 5)).isCloseTo(0.2, within(1e-12));
    }

    @Test
    void aTableForPeople() {
        Cli.Result result =
                Cli.run("bench", "-m", Cli.model("llama"), "--prompt", "8", "--generate", "4", "--repeat", "1");
        assertThat(result.succeeded().out()).contains("TOKENS/S", "prompt", "generate");
    }

    @Test
    void countsOutOfRange() {
        Cli.run("bench", "--prompt", "-1").wrongUsage("--prompt is -1");
        Cli.run("bench", "--repeat", "0").wrongUsage("--repeat is 0");
        Cli.run("bench", "--parallel", "0").wrongUsage("--parallel is 0");
        Cli.run("bench", "--parallel", "1,8,2000").wrongUsage("--parallel is 2000");
        Cli.run("bench", "--prompt", "many").wrongUsage("--prompt");
    }
}
