// SPDX-License-Identifier: Apache-2.0
package dev.puna.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each example runs as a user would run it. */
@Timeout(120)
class ExamplesTest {
    /** A model that answers a few questions by heart. */
    private static final String TINY = Path.of(
                    Objects.requireNonNull(System.getProperty("puna.root")), "native/tests/data/tiny/tiny-chat.gguf")
            .toString();

    /** A program that writes to standard output. */
    private interface Program {
        /** Runs it. */
        void run() throws Exception;
    }

    private static List<String> lines(Program program) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
        try {
            program.run();
        } finally {
            System.setOut(before);
        }
        return written.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void chatAnswersLineByLine() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dpuna.library.path=" + System.getProperty("puna.library.path", ""),
                        "-Dstdout.encoding=UTF-8",
                        "-Dstdin.encoding=UTF-8",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Chat.class.getName(),
                        TINY)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        process.getOutputStream().write("Say yes.\nAnd?\n\nnot read\n".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().close();
        String text;
        try (InputStream output = process.getInputStream()) {
            text = new String(output.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(text).isZero();
        assertThat(text.split("> ", -1)).hasSize(4);
        assertThat(text).startsWith("> ").endsWith("> ");
        assertThat(text.split("> ", -1)[1].strip()).isNotEmpty();
    }

    @Test
    void streamingSaysHowItWent() throws Exception {
        List<String> lines = lines(() -> Streaming.main("smollm2", "The capital of France is"));
        assertThat(lines.getFirst()).startsWith("The capital of France is").hasSizeGreaterThan(30);
        assertThat(lines.getLast()).matches("\\[(LENGTH|STOP|END), \\d+ tokens, seed 42, \\d+ tokens/s]");
        assertThat(lines(() -> Streaming.main("smollm2", "The capital of France is"))
                        .getFirst())
                .isEqualTo(lines.getFirst());
    }

    @Test
    void searchFindsWhatItIsAskedFor() throws Exception {
        String bert = TINY.replace("tiny/tiny-chat.gguf", "encoders/bert.gguf");
        List<String> lines = lines(() -> SemanticSearch.main(bert, "a b c", "x y", "a b c", "0 1 2"));
        assertThat(lines).hasSize(3);
        assertThat(lines.getFirst()).isEqualTo("1.000  a b c");
    }

    @Test
    void translateWritesWhatItFound() throws Exception {
        String t5 = TINY.replace("tiny/tiny-chat.gguf", "text_to_text/t5_gated.gguf");
        List<String> lines = lines(() -> Translate.main(t5, "de", "a b", "c"));
        assertThat(lines.getFirst()).startsWith("a b -> ");
        assertThat(lines).anySatisfy(line -> assertThat(line).startsWith("c -> "));
    }

    @Test
    void manyCallersShareTheSteps() throws Exception {
        List<String> lines = lines(() -> ManyCallers.main("smollm2", "12"));
        assertThat(lines).hasSize(13);
        String[] words = lines.getLast().split(" ");
        assertThat(words[0]).isEqualTo("12");
        int tokens = Integer.parseInt(words[2]);
        int steps = Integer.parseInt(words[5]);
        assertThat(tokens).isGreaterThan(60);
        assertThat(steps).isLessThan(tokens / 2);
    }
}
