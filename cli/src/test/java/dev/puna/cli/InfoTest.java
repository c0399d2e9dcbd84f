// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** {@code puna info}. */
class InfoTest {
    @Test
    void tables() {
        String out = Cli.run("info", Cli.model("llama")).succeeded().out();
        assertThat(out)
                .contains("GGUF 3", "METADATA", "general.architecture", "\"llama\"", "token_embd.weight", "MEMORY")
                .containsPattern("tokenizer.ggml.tokens +string\\[384\\] .*, \\.\\.\\.]");
        assertThat(out.lines().filter(line -> line.length() > 200)).isEmpty();
    }

    @Test
    void json() throws Exception {
        Path file = Path.of(Cli.model("llama"));
        JsonNode json = Cli.run("info", file.toString(), "--json").succeeded().json();
        assertThat(json.get("bytes").asLong()).isEqualTo(Files.size(file));
        assertThat(metadata(json, "llama.block_count").get("value").asInt()).isPositive();
        assertThat(metadata(json, "llama.attention.layer_norm_rms_epsilon")
                        .get("value")
                        .asString())
                .isEqualTo("1.0E-5");
        assertThat(metadata(json, "tokenizer.ggml.tokens").get("value").size()).isEqualTo(384);
        long bytes = json.get("tensors")
                .valueStream()
                .mapToLong(t -> t.get("bytes").asLong())
                .sum();
        assertThat(bytes).isPositive().isLessThan(Files.size(file));
        JsonNode memory = json.get("memory");
        assertThat(memory.get("total").asLong())
                .isEqualTo(memory.get("weights").asLong()
                        + memory.get("cache").asLong()
                        + memory.get("vocabulary").asLong()
                        + memory.get("sequences").asLong()
                        + memory.get("scratch").asLong());
    }

    @Test
    void thePlanForAContextAndParallelism() {
        String file = Cli.model("llama");
        JsonNode one = Cli.run("info", file, "--json", "--context", "256")
                .succeeded()
                .json()
                .get("memory");
        JsonNode eight = Cli.run(
                        "info",
                        file,
                        "--json",
                        "--context",
                        "256",
                        "--parallel",
                        "8",
                        "--cache-type",
                        "F32",
                        "--threads",
                        "1")
                .succeeded()
                .json()
                .get("memory");
        assertThat(one.get("context_length").asInt()).isEqualTo(256);
        assertThat(one.get("parallel").asInt()).isEqualTo(1);
        assertThat(one.get("cache_type").asString()).isEqualTo("f16");
        assertThat(eight.get("cache_type").asString()).isEqualTo("f32");
        assertThat(eight.get("cache").asLong()).isEqualTo(one.get("cache").asLong() * 8 * 2);
        assertThat(eight.get("weights").asLong()).isEqualTo(one.get("weights").asLong());
        assertThat(eight.get("base").asLong())
                .isEqualTo(eight.get("total").asLong()
                        - eight.get("cache").asLong()
                        - eight.get("sequences").asLong());
        assertThat(Cli.run("info", file, "--context", "256", "--cache-type", "q8_0")
                        .succeeded()
                        .out())
                .contains("MEMORY for one sequence of 256 positions, cache in q8_0");
        assertThat(Cli.run("info", file, "--context", "256", "--parallel", "8")
                        .succeeded()
                        .out())
                .contains("MEMORY for 8 sequences of 256 positions, cache in f16", "needed at once", "together");
        assertThat(Cli.run("info", file, "--parallel", "1024", "--context", "1000000")
                        .succeeded()
                        .out())
                .containsPattern("some will wait for others|it cannot be run");
        Cli.run("info", file, "--parallel", "0").wrongUsage("--parallel is 0");
        Cli.run("info", file, "--cache-type", "q9").wrongUsage("'q9' is none of");
        Cli.run("info", file, "--context", "1").wrongUsage("--context is 1");
    }

    private static JsonNode metadata(JsonNode json, String key) {
        return json.get("metadata")
                .valueStream()
                .filter(entry -> entry.get("key").asString().equals(key))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void whatCannotBeRunIsShownAllTheSame() {
        String file = Cli.DATA.resolve("tokenizer/gpt-2.gguf").toString();
        assertThat(Cli.run("info", file).succeeded().out()).contains("tokenizer.ggml.pre", "MEMORY: it cannot be run");
        assertThat(Cli.run("info", file, "--json")
                        .succeeded()
                        .json()
                        .get("memory")
                        .get("error")
                        .asString())
                .isNotEmpty();
    }
}
