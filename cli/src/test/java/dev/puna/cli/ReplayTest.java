// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code puna run --record} and {@code puna replay}. */
class ReplayTest {
    @Test
    void aRecordedRunIsReplayed(@TempDir Path folder) throws IOException {
        Path record = folder.resolve("r.json");
        Cli.run("run", "-m", Cli.CHAT, "-n", "12", "--temperature", "2", "--record", record.toString(), "The ferry")
                .succeeded();
        assertThat(Cli.run("replay", "--threads", "1", record.toString())
                        .succeeded()
                        .out())
                .startsWith("equal: ");
        assertThat(Cli.run("replay", "--json", "-m", Cli.CHAT, record.toString())
                        .succeeded()
                        .json()
                        .get("equal")
                        .asBoolean())
                .isTrue();

        String other = Files.readString(record).replaceFirst("\"seed\": \"[^\"]*\"", "\"seed\": \"1\"");
        Files.writeString(record, other.equals(Files.readString(record)) ? other.replace("\"1\"", "\"2\"") : other);
        Cli.Result differs = Cli.run("replay", record.toString());
        assertThat(differs.status()).isEqualTo(1);
        assertThat(differs.out()).startsWith("differs at token ");
    }
}
