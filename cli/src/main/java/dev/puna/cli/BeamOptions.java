// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.ContextOptions;
import dev.puna.EarlyStopping;
import dev.puna.Model;
import dev.puna.Reply;
import dev.puna.TextStream;
import dev.puna.TextToText;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code puna translate} and {@code puna summarize} share: beams, and how answers are printed. */
final class BeamOptions {
    private static final int TOGETHER = 256;

    @Option(
            names = "--beams",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "Search with so many beams, 1 to 32 (default: ${DEFAULT-VALUE}, the best token at each step).")
    private int beams;

    @Option(
            names = "--length-penalty",
            paramLabel = "P",
            defaultValue = "1",
            description = "With --beams: above 1 longer answers, below it shorter ones (default: ${DEFAULT-VALUE}).")
    private float lengthPenalty;

    @Option(
            names = "--early-stopping",
            paramLabel = "WHEN",
            defaultValue = "no",
            description = "With --beams: no, yes or never, as in transformers (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String earlyStopping;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "At most so many tokens an answer.")
    private @Nullable Integer maxTokens;

    @Option(names = "--prefix", paramLabel = "TEXT", description = "What tells the model its task, in front of a text.")
    private @Nullable String prefix;

    @Option(names = "--json", description = "A JSON array: for each text what puna run --json gives.")
    private boolean json;

    /** All beams of a text shall have a place. */
    void apply(ContextOptions options) {
        options.maxSequences(Math.max(16, beams));
    }

    private EarlyStopping stopping() {
        for (EarlyStopping when : EarlyStopping.values()) {
            if (when.name().equalsIgnoreCase(earlyStopping)) {
                return when;
            }
        }
        throw new IllegalArgumentException("--early-stopping is " + earlyStopping + "; it may be no, yes or never");
    }

    private TextToText asked(TextToText request) {
        request.beams(beams).lengthPenalty(lengthPenalty).earlyStopping(stopping());
        if (maxTokens != null) {
            request.maxTokens(maxTokens);
        }
        return prefix == null ? request : request.prefix(prefix);
    }

    /** Texts share the batch; their answers come in their order. */
    void print(Model model, List<String> texts, Function<String, TextToText> request, Streams streams) {
        List<Object> found = new ArrayList<>();
        for (int from = 0; from < texts.size(); from += TOGETHER) {
            List<TextStream> some = new ArrayList<>();
            try {
                for (String text : texts.subList(from, Math.min(texts.size(), from + TOGETHER))) {
                    some.add(asked(request.apply(text)).stream());
                }
                for (TextStream stream : some) {
                    Reply reply = stream.reply();
                    if (json) {
                        found.add(Replies.asJson(model, reply));
                    } else {
                        streams.out().println(reply.text().strip());
                    }
                }
            } finally {
                some.forEach(TextStream::close);
            }
        }
        if (json) {
            Json.print(streams.out(), found);
        }
    }
}
