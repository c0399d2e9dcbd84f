// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
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
        assertThat(json.get("machine").get("tier").asString()).isIn("ref", "avx2", "avx512");
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
        Cli.run("bench", "--prompt", "many").wrongUsage("--prompt");
    }
}
