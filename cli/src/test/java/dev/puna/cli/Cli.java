// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Runs commands in this process, with streams of their own. */
final class Cli {
    static final Path DATA = Path.of(System.getProperty("puna.root", "..")).resolve("native/tests/data");
    static final String CHAT = model("tiny-chat");

    private Cli() {}

    /** What a command left. */
    record Result(int status, byte[] bytes, String err) {
        String out() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        JsonNode json() {
            return new ObjectMapper().readTree(bytes);
        }

        Result succeeded() {
            assertThat(err).isEmpty();
            assertThat(status).isZero();
            return this;
        }

        /** Failed with one sentence, and nothing else. */
        Result failed(String... words) {
            assertThat(status).isEqualTo(1);
            assertThat(err).startsWith("puna: ").endsWith("\n").contains(words);
            assertThat(err.strip().lines()).hasSize(1);
            assertThat(err).doesNotContain("Exception", "\tat ", "should not have happened");
            return this;
        }

        Result wrongUsage(String... words) {
            assertThat(status).isEqualTo(2);
            assertThat(bytes).isEmpty();
            assertThat(err).startsWith("puna: ").contains(words).contains("--help'");
            return this;
        }
    }

    static String model(String name) {
        return DATA.resolve("tiny").resolve(name + ".gguf").toString();
    }

    static Result run(String... arguments) {
        return run(new byte[0], arguments);
    }

    static Result run(byte[] in, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(arguments, Streams.of(new ByteArrayInputStream(in), out, err));
        return new Result(status, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }

    static Result runWith(String in, String... arguments) {
        return run(in.getBytes(StandardCharsets.UTF_8), arguments);
    }
}
