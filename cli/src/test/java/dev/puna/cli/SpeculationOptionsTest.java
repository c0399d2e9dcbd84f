// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** {@code --speculate} and {@code --draft}: the same answers, and what was guessed. */
class SpeculationOptionsTest {
    private static JsonNode run(String... more) {
        List<String> command = new ArrayList<>(List.of("run", "-m", Cli.CHAT, "--json", "--temperature", "0"));
        command.addAll(List.of("-n", "90", "--regex", "(one two three four, ){6}")); // a text that repeats itself
        command.addAll(List.of(more));
        return Cli.runWith("Count.", command.toArray(String[]::new)).succeeded().json();
    }

    @Test
    void answersAreTheSameAndGuessesAreCounted() {
        JsonNode plain = run();
        assertThat(plain.get("usage").get("drafted_tokens").asInt()).isZero();
        assertThat(run("--speculate", "off").get("tokens")).isEqualTo(plain.get("tokens"));
        for (JsonNode guessed : new JsonNode[] {run("--speculate", "lookup"), run("--draft", Cli.CHAT)}) {
            assertThat(guessed.get("tokens")).isEqualTo(plain.get("tokens"));
            int drafted = guessed.get("usage").get("drafted_tokens").asInt();
            assertThat(drafted).isPositive();
            assertThat(guessed.get("usage").get("accepted_tokens").asInt()).isBetween(0, drafted);
        }
    }

    @Test
    void whatMeansNothingIsRefused() {
        Cli.Result wrong = Cli.run("run", "-m", Cli.CHAT, "--speculate", "perhaps", "Hello");
        assertThat(wrong.status()).isEqualTo(2);
        assertThat(wrong.err()).contains("--speculate is 'perhaps'; it may be lookup or off");
        wrong = Cli.run("chat", "-m", Cli.CHAT, "--speculate", "off", "--draft", Cli.CHAT);
        assertThat(wrong.status()).isEqualTo(2);
        assertThat(wrong.err()).contains("--draft needs speculation");
    }
}
