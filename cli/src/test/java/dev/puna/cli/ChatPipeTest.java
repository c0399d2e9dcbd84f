// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** {@code puna chat} through a pipe. */
class ChatPipeTest {
    private static final Goldens GOLDENS = Goldens.of("tiny-chat");

    @Test
    void aLineATurn() {
        Cli.Result result = Cli.runWith("Hello\n\nSay yes.\r\nThank you", "chat", "-m", Cli.CHAT, "--temperature", "0");
        assertThat(result.succeeded().out())
                .isEqualTo(GOLDENS.text("Hello", "answer") + "\nYes.\n"
                        + GOLDENS.text("Hello / Say yes. / Thank you", "answer") + "\n");
    }

    @Test
    void theSystemMessageComesFirst() {
        Cli.Result result =
                Cli.runWith("Hello\n", "chat", "-m", Cli.CHAT, "--temperature", "0", "--system", "You are a pirate.");
        assertThat(result.succeeded().out()).isEqualTo(GOLDENS.text("You are a pirate. / Hello", "answer") + "\n");
    }

    @Test
    void nothingSaidNothingAnswered() {
        assertThat(Cli.runWith("", "chat", "-m", Cli.CHAT).succeeded().bytes()).isEmpty();
    }

    @Test
    void aSlashIsNoCommandHere() {
        Cli.Result result = Cli.runWith("/exit\nSay yes.\n", "chat", "-m", Cli.CHAT, "--temperature", "0", "-n", "8");
        assertThat(result.succeeded().out().lines().count()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void aTurnThatDoesNotFitFails() {
        String longTurn = "Tell me a story about a ferry. ".repeat(30);
        Cli.Result result = Cli.runWith(
                "Say yes.\n" + longTurn + "\n", "chat", "-m", Cli.CHAT, "--temperature", "0", "--context", "64");
        assertThat(result.failed("the context of 64").out()).isEqualTo("Yes.\n");
    }

    @Test
    void aFullContextForgetsWhereThatIsWanted() {
        String turns = "Say yes.\n".repeat(12);
        String[] command = {"chat", "-m", Cli.CHAT, "--temperature", "0", "-n", "8", "--context", "64"};
        assertThat(Cli.runWith(turns, command).failed("the context of 64").out())
                .startsWith("Yes.\n");
        String[] shifting = Arrays.copyOf(command, command.length + 1);
        shifting[command.length] = "--context-shift";
        assertThat(Cli.runWith(turns, shifting).succeeded().out().lines()).hasSize(12);
    }

    @Test
    void theCacheMayBeOfAnyType() {
        for (String type : new String[] {"f16", "F32", "q8_0"}) {
            Cli.Result result =
                    Cli.runWith("Say yes.\n", "chat", "-m", Cli.CHAT, "--temperature", "0", "--cache-type", type);
            assertThat(result.succeeded().out()).isEqualTo("Yes.\n");
        }
        Cli.runWith("Say yes.\n", "chat", "-m", Cli.CHAT, "--cache-type", "q4_0")
                .wrongUsage("q4_0", "q8_0");
    }
}
