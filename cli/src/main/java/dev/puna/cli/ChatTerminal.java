// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Channel;
import dev.puna.Piece;
import dev.puna.PunaException;
import dev.puna.Reply;
import dev.puna.TextStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** A chat for people: history, several lines, commands. Ctrl-C stops an answer, Ctrl-D ends the chat. */
final class ChatTerminal {
    private final Streams streams;
    private final Conversation conversation;
    private final boolean defaultModel;
    private final Style style;
    private @Nullable Reply last;
    private long answered;

    ChatTerminal(Streams streams, Conversation conversation, boolean defaultModel) {
        this.streams = streams;
        this.conversation = conversation;
        this.defaultModel = defaultModel;
        this.style = new Style(streams.colours());
    }

    void talk() throws IOException {
        try (Terminal terminal = TerminalBuilder.builder()
                .system(true)
                .encoding(StandardCharsets.UTF_8)
                .nativeSignals(true)
                .signalHandler(Terminal.SignalHandler.SIG_IGN)
                .graphemeCluster(false)
                .dumb(true)
                .build()) {
            talk(terminal);
        }
    }

    void talk(Terminal terminal) {
        LineReader reader = reader(terminal);
        banner(terminal);
        while (turn(reader, terminal)) {
            terminal.flush();
        }
        terminal.flush();
    }

    private LineReader reader(Terminal terminal) {
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("puna")
                .parser(new ChatParser())
                .completer((reader, line, candidates) -> ChatHelp.complete(line.line(), candidates))
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // ! is an ordinary character
                .option(LineReader.Option.INSERT_TAB, true)
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, style.dim("... "));
        Path history = UserFolders.history(streams);
        if (history != null) {
            builder.variable(LineReader.HISTORY_FILE, history);
        }
        return builder.build();
    }

    private void banner(Terminal terminal) {
        terminal.writer()
                .println(style.bold("puna") + "  " + conversation.model().info());
        if (defaultModel) {
            terminal.writer()
                    .println(style.dim(
                            "This is a very small model: it answers at once and is often wrong. For a better one:"));
            terminal.writer()
                    .println(style.dim(
                            "  puna chat -m smollm2-1.7b   (others: puna list; or -m owner/repo, -m file.gguf)"));
        }
        terminal.writer().println(style.dim("/help says what you can do; Ctrl-C stops an answer, Ctrl-D ends."));
        terminal.writer().println();
        terminal.flush();
    }

    private String prompt() {
        return conversation.branches() == 1 ? "> " : conversation.branch() + "> ";
    }

    /** One line of the user's; returns whether to go on. */
    private boolean turn(LineReader reader, Terminal terminal) {
        String line;
        try {
            line = ChatParser.joined(reader.readLine(style.prompt(prompt())));
        } catch (UserInterruptException e) {
            if (e.getPartialLine().isEmpty()) {
                terminal.writer().println(style.dim("Ctrl-D or /exit ends."));
            }
            return true;
        } catch (EndOfFileException e) {
            return false;
        }
        if (line.isBlank()) {
            return true;
        }
        try {
            if (line.startsWith("/") && !line.contains("\n")) {
                return command(line.strip(), terminal);
            }
            answer(conversation.say(line), terminal);
        } catch (PunaException | IllegalArgumentException e) { // this turn failed; the chat is as it was before
            terminal.writer().println(style.error(Main.oneLine(String.valueOf(e.getMessage()))));
        }
        return true;
    }

    private boolean command(String line, Terminal terminal) {
        int space = line.indexOf(' ');
        String name = space < 0 ? line : line.substring(0, space);
        String rest = space < 0 ? "" : line.substring(space).strip();
        ChatKeeping keeping = new ChatKeeping(conversation, style, terminal.writer());
        switch (name) {
            case "/exit", "/quit" -> {
                return false;
            }
            case "/help" -> ChatHelp.print(terminal.writer());
            case "/system" -> {
                conversation.restart(rest);
                last = null;
                terminal.writer()
                        .println(style.dim(
                                "A new conversation" + (rest.isEmpty() ? "." : " under this system message.")));
            }
            case "/regen" -> {
                if (conversation.hasAnswer()) {
                    answer(conversation.again(), terminal);
                } else {
                    terminal.writer().println(style.dim("There is no answer yet."));
                }
            }
            case "/save" -> keeping.save(rest);
            case "/load" -> {
                keeping.load(rest);
                last = null;
            }
            case "/fork" -> keeping.fork();
            case "/branch" -> keeping.branch(rest);
            case "/tokens" -> keeping.tokens(rest);
            case "/stats" -> ChatHelp.stats(terminal.writer(), conversation.model(), last, answered);
            default -> terminal.writer().println(style.error("There is no " + name + "; /help shows the commands."));
        }
        return true;
    }

    /** Prints an answer as it comes; Ctrl-C ends it and it alone. */
    private void answer(TextStream stream, Terminal terminal) {
        Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, signal -> stream.cancel());
        Attributes echoing = terminal.getAttributes();
        Attributes silent = new Attributes(echoing);
        silent.setLocalFlag(Attributes.LocalFlag.ECHO, false); // what is typed ahead appears behind the next prompt
        terminal.setAttributes(silent);
        try (stream) {
            boolean lineOpen = false;
            boolean thinking = false;
            for (Piece piece : stream) {
                if (!piece.text().isEmpty()) {
                    boolean thought = piece.channel() == Channel.REASONING;
                    if (thinking && !thought) {
                        terminal.writer().print("\n\n");
                    }
                    thinking = thought;
                    terminal.writer().print(thought ? style.dim(piece.text()) : piece.text());
                    terminal.flush();
                    lineOpen = !piece.text().endsWith("\n");
                }
            }
            Reply reply = stream.reply();
            last = reply;
            answered += reply.usage().generatedTokens();
            terminal.writer().print((lineOpen ? "\n" : "") + note(reply) + "\n");
            terminal.flush();
        } finally {
            terminal.setAttributes(echoing);
            terminal.handle(Terminal.Signal.INT, before);
        }
    }

    private String note(Reply reply) {
        return switch (reply.stopReason()) {
            case CANCELLED -> style.dim("(stopped)") + "\n";
            case LENGTH ->
                style.dim("(cut after " + reply.usage().generatedTokens() + " tokens: -n sets the limit)") + "\n";
            case CONTEXT -> style.dim("(the context is full: /system begins a new conversation)") + "\n";
            default -> "";
        };
    }
}
