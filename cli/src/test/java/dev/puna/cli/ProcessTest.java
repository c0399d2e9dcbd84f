// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own shows: its status, its streams, its end. */
@Timeout(120)
class ProcessTest {
    private static final Goldens GOLDENS = Goldens.of("tiny-chat");

    @TempDir
    Path folder;

    private Cli.Result run(String in, String... arguments) throws Exception {
        return Child.start(folder, Map.of(), arguments).result(in);
    }

    @Test
    void statusesReachTheShell() throws Exception {
        run("", "--version").succeeded();
        run("", "run", "-m", "/no/such/file.gguf", "Hello").failed("there is no file");
        run("", "run", "--no-such-option").wrongUsage("--no-such-option");
    }

    @Test
    void aPipeGetsTheAnswersAlone() throws Exception {
        Cli.Result result = run("안녕하세요\nSay yes.\n", "chat", "-m", Cli.CHAT, "--temperature", "0");
        assertThat(result.succeeded().out()).startsWith(GOLDENS.text("안녕하세요", "answer") + "\n");
        assertThat(result.bytes()).doesNotContain(0x1b); // no colours
        assertThat(result.out().lines()).hasSize(2);
    }

    @Test
    void theTextIsThereWhileItGrows() throws Exception {
        Child child = Child.start(folder, Map.of(), "chat", "-m", Cli.CHAT, "--temperature", "0");
        child.process().getOutputStream().write("Say yes.\n".getBytes(StandardCharsets.UTF_8));
        child.process().getOutputStream().flush(); // and not closed: the answer comes before the end
        assertThat(new String(child.process().getInputStream().readNBytes(5), StandardCharsets.UTF_8))
                .isEqualTo("Yes.\n");
        child.result("").succeeded();
    }

    @Test
    void interruptedIs130() throws Exception {
        Child child = Child.start(
                folder,
                Map.of(),
                "run",
                "-m",
                Cli.model("llama"),
                "-n",
                "100000",
                "--context",
                "1000000",
                "--seed",
                "1",
                "abc");
        assertThat(child.process().getInputStream().readNBytes(1)).hasSize(1); // it generates
        child.interrupt();
        assertThat(child.process().waitFor()).isEqualTo(130);
        assertThat(child.err()).doesNotContain("Exception");
    }
}
