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
                        + memory.get("scratch").asLong());
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
