// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Message;
import dev.puna.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jline.reader.Candidate;

/** The chat's commands about what was said: saving and loading it, its branches, its tokens. One thread. */
final class ChatKeeping {
    private static final String CHAT = "PUNACHAT"; // how saved ones begin
    private static final int SHOWN_TOKENS = 100;
    private static final int SHOWN_CHARACTERS = 60;

    private final Conversation conversation;
    private final Style style;
    private final PrintWriter out;

    ChatKeeping(Conversation conversation, Style style, PrintWriter out) {
        this.conversation = conversation;
        this.style = style;
        this.out = out;
    }

    void save(String file) {
        Path path = path(file, "/save");
        try {
            refuseToReplace(path);
            conversation.save(path);
        } catch (IOException e) {
            throw new IllegalArgumentException(path + " can't be looked at: " + e.getMessage(), e);
        } catch (UncheckedIOException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
        out.println(style.dim("Saved to " + path + ": /load " + file + " goes on from here."));
    }

    void load(String file) {
        Path path = path(file, "/load");
        conversation.load(path);
        out.println(style.dim(path + ": " + count(conversation.messages())
                + (conversation.branches() == 1 ? "." : ", as " + here())));
        showEnd();
    }

    void fork() {
        int from = conversation.branch();
        conversation.fork();
        out.println(style.dim("This is " + here() + " /branch " + from + " goes back."));
    }

    /** Goes to a branch, or says which there are. */
    void branch(String number) {
        if (number.isEmpty()) {
            for (int i = 1; i <= conversation.branches(); i++) {
                out.println((i == conversation.branch() ? "* " : "  ") + i + "  " + count(conversation.messages(i))
                        + end(conversation.messages(i)));
            }
            out.println();
            return;
        }
        try {
            conversation.go(Integer.parseInt(number));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("/branch takes a number; alone it says which there are", e);
        }
        out.println(style.dim("This is " + here()));
        showEnd();
    }

    /** How many tokens there are, and the last of them, or all. */
    void tokens(String which) {
        if (!which.isEmpty() && !which.equals("all")) {
            throw new IllegalArgumentException("/tokens shows the last " + SHOWN_TOKENS + ", /tokens all shows all");
        }
        int[] ids = conversation.tokens();
        int context = conversation.model().status().contextLength();
        out.println(ids.length + " tokens, " + String.format(Locale.ROOT, "%.0f", 100.0 * ids.length / context)
                + "% of the context's " + context);
        int from = which.isEmpty() ? Math.max(0, ids.length - SHOWN_TOKENS) : 0;
        if (from > 0) {
            out.println(style.dim("the last " + SHOWN_TOKENS + " (/tokens all shows all):"));
        }
        Tokenizer tokenizer = conversation.model().tokenizer();
        for (int id : Arrays.copyOfRange(ids, from, ids.length)) {
            out.printf("%7d  %s%n", id, Escapes.of(tokenizer.decodeBytes(new int[] {id}, true)));
        }
        out.println();
    }

    private String here() {
        return "branch " + conversation.branch() + " of " + conversation.branches() + ".";
    }

    private static String count(List<Message> messages) {
        return messages.size() == 1 ? "1 message" : messages.size() + " messages";
    }

    /** Where the conversation stands: the last that was said. */
    private void showEnd() {
        List<Message> messages = conversation.messages();
        for (Message message : messages.subList(Math.max(0, messages.size() - 2), messages.size())) {
            String mark = message instanceof Message.User ? "> " : "";
            out.println(style.dim(mark + message.text().strip()));
        }
        out.println();
    }

    private static String end(List<Message> messages) {
        if (messages.isEmpty()) {
            return "";
        }
        String text = Main.oneLine(messages.getLast().text().strip());
        return ": " + (text.length() > SHOWN_CHARACTERS ? text.substring(0, SHOWN_CHARACTERS) + " ..." : text);
    }

    private static Path path(String file, String command) {
        if (file.isEmpty()) {
            throw new IllegalArgumentException(command + " needs the name of a file");
        }
        return path(file);
    }

    /** A chat may be saved over a saved chat, not over something else that a slip of the hand has named. */
    private static void refuseToReplace(Path file) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) == 0) {
            return;
        }
        try (InputStream in = Files.newInputStream(file)) {
            if (!new String(in.readNBytes(CHAT.length()), StandardCharsets.US_ASCII).equals(CHAT)) {
                throw new IllegalArgumentException(file + " is there already and is no chat: take another name");
            }
        }
    }

    private static Path path(String file) {
        return file.startsWith("~/") ? Path.of(System.getProperty("user.home"), file.substring(2)) : Path.of(file);
    }

    /** Files that a command's line may go on with. */
    static void complete(String command, String typed, List<Candidate> candidates) {
        int slash = typed.lastIndexOf('/') + 1;
        String folder = typed.substring(0, slash);
        try (Stream<Path> files = Files.list(path(folder.isEmpty() ? "." : folder))) {
            for (Path file : files.sorted().toList()) {
                String name = String.valueOf(file.getFileName());
                boolean hidden = name.startsWith(".") && slash == typed.length();
                if (name.startsWith(typed.substring(slash)) && !hidden) {
                    boolean whole = !Files.isDirectory(file);
                    String line = command + folder + name + (whole ? "" : "/");
                    candidates.add(new Candidate(line, name, null, null, null, null, whole));
                }
            }
        } catch (IOException | IllegalArgumentException e) {
            return; // no such folder: nothing to offer
        }
    }
}
