// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Context;
import dev.puna.Model;
import dev.puna.Reply;
import dev.puna.Statistics;
import dev.puna.Timings;
import dev.puna.Usage;
import java.io.PrintWriter;
import java.util.List;
import org.jline.reader.Candidate;
import org.jspecify.annotations.Nullable;

/** What the chat's commands print. */
final class ChatHelp {
    private static final List<String> COMMANDS = List.of(
            "/help", "/system ", "/regen", "/fork", "/branch ", "/save ", "/load ", "/tokens", "/stats", "/exit");

    private ChatHelp() {}

    static void complete(String line, List<Candidate> candidates) {
        for (String command : List.of("/save ", "/load ")) {
            if (line.startsWith(command)) {
                ChatKeeping.complete(command, line.substring(command.length()), candidates);
                return;
            }
        }
        if (line.startsWith("/")) {
            for (String command : COMMANDS) {
                String name = command.strip();
                candidates.add(new Candidate(name, name, null, null, null, null, command.endsWith(" ")));
            }
        }
    }

    static void print(PrintWriter out) {
        out.println("  /system TEXT  a new conversation; TEXT says what the model is to be");
        out.println("  /regen        another answer to the same");
        out.println(
                "  /fork         a second branch from here; /branch N goes to another, /branch says which there are");
        out.println("  /save FILE    keeps the conversation; /load FILE goes on with it");
        out.println("  /tokens       how many there are of the context's, and the last ones; /tokens all");
        out.println("  /stats        how fast, and how much memory");
        out.println("  /exit         ends; so does Ctrl-D");
        out.println(
                "Ctrl-C stops an answer. Several lines: paste them, end a line with \\, or put ``` before and behind.");
        out.println("The arrow keys bring back what you said before, Ctrl-R searches it.");
        out.println();
    }

    static void stats(PrintWriter out, Model model, @Nullable Reply last, long answered) {
        if (last != null) {
            Usage usage = last.usage();
            Timings timings = last.timings();
            out.println("last answer    " + usage.generatedTokens() + " tokens, "
                    + Units.rate(timings.tokensPerSecond()) + " a second, seed " + last.seed());
            out.println("its prompt     " + usage.promptTokens() + " tokens, " + usage.cachedTokens()
                    + " of them from the cache; first token after "
                    + Units.seconds(timings.prompt().toNanos() / 1e9));
        }
        Statistics all = model.statistics();
        if (all.draftedTokens() > 0) {
            out.println("guesses        " + all.acceptedTokens() + " of " + all.draftedTokens() + " were right");
        }
        Context.Status status = model.status();
        out.println("answers        " + answered + " tokens altogether");
        out.println("context        " + status.contextLength() + " positions; " + status.pagesUsed() + " of "
                + status.pagesTotal() + " pages used");
        out.println("memory         model " + Units.bytes(model.info().memoryBytes()) + ", context "
                + Units.bytes(status.memoryBytes()));
        out.println("threads        " + status.threads());
        out.println();
    }
}
