// SPDX-License-Identifier: Apache-2.0
package dev.puna.soak;

import dev.puna.Context;
import dev.puna.Prompt;
import dev.puna.Sampler;
import java.util.List;
import java.util.Random;

/** What callers ask: few enough that all can be checked, alike enough that prefixes are shared. */
final class Questions {
    /** Conversations go on in one of so many ways at each turn. */
    static final int WAYS = 2;

    static final int SCRIPTS = 6;
    static final int TURNS = 4;

    private static final String SHARED =
            "The ferry left at dawn. On board were a baker, two dogs, a man with a green hat and a crate of oranges. "
                    .repeat(6);
    private static final List<String> TEXTS = List.of(
            "Hello",
            "Once upon a time",
            "Why is the sky blue?",
            "Count to twenty.",
            "안녕하세요",
            SHARED + "The baker said:",
            SHARED + "The dogs",
            SHARED + "Nobody knew where the oranges",
            SHARED.substring(0, SHARED.length() / 2) + "Then it rained.",
            "Smile! 🙂 Write some code.");
    private static final List<String> SAYINGS =
            List.of("Hello", "Tell me a story about a ferry.", "What did the passengers do?", "Say yes.", "Thank you");

    private Questions() {}

    /** A prompt with all its settings, and the key of both. */
    record Asked(String key, Prompt request) {}

    static Asked prompt(Context context, Random random) {
        int text = random.nextInt(TEXTS.size());
        int way = random.nextInt(6);
        int length = List.of(4, 16, 48).get(random.nextInt(3));
        Prompt request = context.prompt(TEXTS.get(text)).maxTokens(length).sampler(sampler(way));
        if (way % 2 == 1) {
            request.ignoreEnd();
        }
        if (way == 4) {
            request.regex("[a-z]{3,9}( [a-z]{3,9}){2,20}");
        }
        return new Asked("prompt " + text + ", way " + way + ", " + length + " tokens", request);
    }

    /** A generation that goes on until somebody ends it. */
    static Asked endless(Context context, Random random) {
        int text = random.nextInt(TEXTS.size());
        return new Asked(
                "endless " + text,
                context.prompt(TEXTS.get(text)).ignoreEnd().maxTokens(200).sampler(sampler(1)));
    }

    static Sampler sampler(int way) {
        return way == 0
                ? Sampler.greedy()
                : Sampler.of(
                                Sampler.repetition(p -> p.window(32).repeat(1.1f)),
                                Sampler.topK(40),
                                Sampler.temperature(way % 2 == 0 ? .8f : 20))
                        .seed(way);
    }

    static String system(int script) {
        return script % 2 == 0
                ? "You are a pirate."
                : SHARED + "You answer questions about the ferry, number " + script;
    }

    static String saying(int script, int turn, int way) {
        return SAYINGS.get((script + turn * WAYS + way) % SAYINGS.size());
    }
}
