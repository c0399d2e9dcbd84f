// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.Model;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jline.terminal.Size;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** The chat at a terminal, typed into by the test. */
@Timeout(60)
class ChatTerminalTest {
    private static final Goldens GOLDENS = Goldens.of("tiny-chat");

    @TempDir
    private Path folder;

    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    private Model model;
    private LineDisciplineTerminal terminal;
    private Thread chat;
    private int seen;

    @BeforeEach
    void open() throws IOException {
        SamplingOptions sampling = new SamplingOptions();
        new CommandLine(CommandSpec.create().addMixin("sampling", CommandSpec.forAnnotatedObject(sampling)))
                .parseArgs("--temperature", "0");
        model = Model.load(Path.of(Cli.CHAT));
        terminal = new LineDisciplineTerminal("test", "xterm", screen, StandardCharsets.UTF_8);
        terminal.setSize(Size.of(120, 40));
        Streams streams = Streams.of(
                InputStream.nullInputStream(), OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        chat = Thread.ofPlatform().daemon().start(() -> {
            try (Conversation conversation =
                    new Conversation(model, null, sampling, false, new AdapterOptions.Loaded(List.of(), List.of()))) {
                new ChatTerminal(streams, conversation, true).talk(terminal);
            }
        });
    }

    @AfterEach
    void close() throws Exception {
        if (chat.isAlive()) {
            type("\004");
        }
        assertThat(chat.join(Duration.ofSeconds(20))).isTrue();
        terminal.close();
        model.close();
    }

    private void type(String keys) throws IOException {
        terminal.processInputBytes(keys.getBytes(StandardCharsets.UTF_8));
    }

    /** Waits until the screen shows a text behind what was seen before. */
    private void see(String text) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (true) {
            String all = screen.toString(StandardCharsets.UTF_8).replaceAll("\033\\[[?0-9;]*[a-zA-Z]", "");
            int at = all.indexOf(text, seen);
            if (at >= 0) {
                seen = at + text.length();
                return;
            }
            assertThat(System.nanoTime())
                    .as("waiting for '%s' in: %s", text, all)
                    .isLessThan(deadline);
            Thread.sleep(5);
        }
    }

    @Test
    void talks() throws Exception {
        see("very small model");
        see("> ");
        type("Hello\r");
        see(GOLDENS.text("Hello", "answer"));
        see("> ");
        type("Say yes.\r");
        see("Yes.");
        see("> ");
        type("Thank you\r");
        see(GOLDENS.text("Hello / Say yes. / Thank you", "answer"));
    }

    @Test
    void commandsWork() throws Exception {
        see("> ");
        type("/help\r");
        see("/system TEXT");
        see("/fork");
        see("/save FILE");
        see("/tokens");
        see("> ");
        type("/regen\r");
        see("There is no answer yet.");
        type("/system You are a pirate.\r");
        see("A new conversation under this system message.");
        type("Hello\r");
        see(GOLDENS.text("You are a pirate. / Hello", "answer"));
        see("> ");
        type("/regen\r");
        see(GOLDENS.text("You are a pirate. / Hello", "answer"));
        see("> ");
        type("/stats\r");
        see("last answer");
        see("2048 positions");
        see("> ");
        type("/nonsense\r");
        see("There is no /nonsense");
        see("> ");
        type("/exit\r");
        assertThat(chat.join(Duration.ofSeconds(20))).isTrue();
    }

    @Test
    void whatWasSaidIsKeptAndGoesOn() throws Exception {
        Path file = folder.resolve("a b.chat");
        see("> ");
        type("Hello\r");
        see(GOLDENS.text("Hello", "answer"));
        see("> ");
        type("Say yes.\r");
        see("Yes.");
        see("> ");
        type("/save " + file + "\r");
        see("Saved to " + file);
        see("> ");
        type("/save " + file + "\r"); // over itself
        see("Saved to " + file);
        see("> ");
        type("/tokens\r");
        see(" tokens, ");
        see("of the context's 2048");
        see("<|im_start|>");
        see("> ");
        type("/system\r");
        see("A new conversation.");
        see("> ");
        type("/tokens\r");
        see("0 tokens, 0% of");
        type("/load " + folder + "/a\t\r"); // completed
        see(file + ": 4 messages.");
        see("> Say yes.");
        see("Yes.");
        see("> ");
        type("Thank you\r");
        see(GOLDENS.text("Hello / Say yes. / Thank you", "answer"));
        see("> ");
        type("/load " + file + "\r");
        see(file + ": 4 messages, as branch 2 of 2.");
        see("2> ");
        type("Thank you\r");
        see(GOLDENS.text("Hello / Say yes. / Thank you", "answer"));
    }

    @Test
    void branchesGoOnApart() throws Exception {
        see("> ");
        type("Hello\r");
        see(GOLDENS.text("Hello", "answer"));
        see("> ");
        type("/fork\r");
        see("This is branch 2 of 2. /branch 1 goes back.");
        see("2> ");
        type("Say yes.\r");
        see("Yes.");
        see("2> ");
        type("/branch\r");
        see("  1  2 messages: " + GOLDENS.text("Hello", "answer").substring(0, 10));
        see("* 2  4 messages: Yes.");
        see("2> ");
        type("/branch 1\r");
        see("This is branch 1 of 2.");
        see("> Hello");
        see("1> ");
        type("Say yes.\r");
        see("Yes.");
        see("1> ");
        type("/branch 3\r");
        see("there is no branch 3; there are 2");
        see("1> ");
        type("/branch two\r");
        see("/branch takes a number");
    }

    @Test
    void whatCantBeKeptIsSaidAndTheChatGoesOn() throws Exception {
        Files.writeString(folder.resolve("text"), "no chat at all, but long enough to be read");
        see("> ");
        type("/save\r");
        see("/save needs the name of a file");
        type("/load " + folder.resolve("missing") + "\r");
        see("there is no file");
        type("/load " + folder.resolve("text") + "\r");
        see("is no saved chat");
        type("/save " + folder.resolve("text") + "\r");
        see("is there already and is no chat");
        type("/save " + folder.resolve("nowhere/x") + "\r");
        see("can't be written");
        type("/tokens some\r");
        see("/tokens all shows all");
        see("> ");
        type("Say yes.\r");
        see("Yes.");
    }

    @Test
    void severalLinesAreOneTurn() throws Exception {
        see("> ");
        type("Hello\\\r");
        see("... ");
        type("Hello\r");
        see("> ");
        type("/stats\r");
        see("its prompt");
        type("```\rHello\rHello\r```\r"); // the same turn, once more
        see("> ");
        type("/stats\r");
        see("its prompt");
    }

    @Test
    void controlCStopsTheAnswerAlone() throws Exception {
        see("> ");
        type("Tell me a story about a ferry.\r");
        see("The ferry between");
        type("\003");
        see("(stopped)");
        see("> ");
        type("\003");
        see("Ctrl-D or /exit ends.");
        type("/system\r");
        see("A new conversation.");
        type("Say yes.\r");
        see("Yes.");
        assertThat(chat.isAlive()).isTrue();
    }

    @Test
    void whatWasSaidIsRemembered() throws Exception {
        see("> ");
        type("Say yes.\r");
        see("Yes.");
        see("> ");
        type("\033OA\r"); // the arrow upwards
        see("Say yes.");
        see("> ");
        type("\004");
        assertThat(chat.join(Duration.ofSeconds(20))).isTrue();
        Path history = Path.of(System.getenv("PUNA_HOME"), "history");
        assertThat(Files.readString(history)).contains("Say yes.");
        assertThat(Files.getPosixFilePermissions(history)).hasSize(2);
    }
}
