// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.puna.testing.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files that lie, written by the core's own generator (native/tests/hostile): each is an exception that names the lie.
 */
@Timeout(240)
class HostileFilesTest {
    /** What a file may take in computing time of the whole process: what else a machine does is not the file's. */
    private static final Duration MOST = Duration.ofSeconds(2);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    private static final List<Lie> LIES = new ArrayList<>();

    /** A file and what is to be said of it. */
    private record Lie(Path file, String name, String status, String field, String words, boolean placed) {
        static Lie of(Path folder, String line) {
            String[] cells = line.split("\t", -1);
            return new Lie(folder.resolve(cells[0]), cells[1], cells[2], cells[3], cells[4], cells[5].equals("placed"));
        }

        /** {@return what is wrong with what was thrown; empty if nothing is} */
        String fault(Throwable thrown) {
            Class<?> type =
                    status.equals("PUNA_UNSUPPORTED") ? UnsupportedModelException.class : InvalidModelException.class;
            String message = String.valueOf(thrown == null ? null : thrown.getMessage());
            if (thrown == null || thrown.getClass() != type) {
                return "not " + type.getSimpleName() + " but " + thrown;
            }
            if (!message.contains(file.getFileName() + ": ") || !message.contains(field) || !message.contains(words)) {
                return "the message lacks file, field or reason: " + message;
            }
            if (message.contains(" at byte ") != placed) {
                return "the message has a place, or lacks it: " + message;
            }
            return message.contains("\n") || message.length() > 800 ? "the message is no sentence: " + message : "";
        }
    }

    @BeforeAll
    static void write() throws IOException, InterruptedException {
        Path generator = Path.of(
                Objects.requireNonNull(System.getProperty("puna.root")), "native/build/release/tests/test_hostile");
        Process process = new ProcessBuilder(generator.toString(), "--write", folder.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        Files.readAllLines(folder.resolve("cases.tsv")).forEach(line -> LIES.add(Lie.of(folder, line)));
    }

    private static Duration computed() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
    }

    private static Throwable refusal(Lie lie) {
        return catchThrowable(() -> Model.load(lie.file()).close());
    }

    @Test
    void eachLieIsNamed() {
        SoftAssertions all = new SoftAssertions();
        assertThat(Models.tiny().info().layers()).isPositive(); // the library is loaded, and the time is the files' own
        refusal(LIES.getFirst()); // and what Java loads and compiles for a refusal
        for (Lie lie : LIES) {
            Duration before = computed();
            Throwable thrown = refusal(lie);
            all.assertThat(lie.fault(thrown)).as(lie.name()).isEmpty();
            all.assertThat(computed().minus(before)).as(lie.name()).isLessThan(MOST);
        }
        all.assertThat(LIES).hasSizeGreaterThan(500);
        all.assertAll();
        assertThat(Models.tiny()
                        .chat(List.of(Message.user("Hello")))
                        .sampler(Sampler.greedy())
                        .text())
                .isEqualTo(Models.answer("Hello"));
    }

    /** Nothing is kept of files that were refused; their metadata, too, is looked through without harm. */
    @Test
    void nothingIsKept() {
        LIES.forEach(HostileFilesTest::refusal);
        long before = Machine.nativeMemory();
        for (int round = 0; round < 3; round++) {
            for (Lie lie : LIES) {
                refusal(lie);
                catchThrowable(() -> {
                    try (ModelFile file = ModelFile.open(lie.file())) {
                        file.metadata().forEach(entry -> assertThat(entry.key()).isNotEmpty());
                    }
                });
            }
        }
        assertThat(Machine.nativeMemory()).isEqualTo(before);
    }
}
