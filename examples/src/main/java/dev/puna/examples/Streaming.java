// SPDX-License-Identifier: Apache-2.0
package dev.puna.examples;

import dev.puna.Model;
import dev.puna.Piece;
import dev.puna.Reply;
import dev.puna.Sampler;
import dev.puna.TextStream;
import java.time.Duration;

/** Text as it comes, with a seed, a bound on time, and figures at the end. */
public final class Streaming {
    private Streaming() {}

    /**
     * Continues a text.
     *
     * @param arguments a model and a text, or nothing
     */
    public static void main(String... arguments) {
        String reference = arguments.length > 0 ? arguments[0] : "smollm2";
        String text = arguments.length > 1 ? arguments[1] : "Once upon a time";
        Sampler sampler = Sampler.of(Sampler.topK(40), Sampler.topP(.95f), Sampler.temperature(.8f))
                .seed(42);
        try (Model model = Model.load(reference);
                TextStream stream = model
                        .prompt(text)
                        .sampler(sampler)
                        .maxTokens(64)
                        .stop("\n\n")
                        .timeout(Duration.ofSeconds(30))
                        .stream()) {
            IO.print(text);
            for (Piece piece : stream) {
                IO.print(piece);
            }
            Reply reply = stream.reply();
            IO.println();
            IO.println("[" + reply.stopReason() + ", " + reply.usage().generatedTokens() + " tokens, seed "
                    + reply.seed() + ", " + Math.round(reply.timings().tokensPerSecond()) + " tokens/s]");
        }
    }
}
