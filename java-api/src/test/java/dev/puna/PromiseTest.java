// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.testing.ChildJvm;
import dev.puna.testing.Models;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The promise on a real model: the same tokens and log-probabilities, over threads, chunks, batches and histories, with
 * and without speculation.
 * Every pair of values of two of these is tried; the whole matrix is tried on tiny models, in C.
 */
@Timeout(120)
class PromiseTest {
    private static final int[] BATCHES = {1, 7, 32};
    private static final int[] CHUNKS = {5, 64, 512};
    private static final int POSITIONS = 256; // of a context: four pages

    private final Model model = Models.smollm2();

    /** What a chat has behind it when it answers. */
    private enum History {
        KEPT,
        FORKED,
        RESTORED,
        SHARED,
        EVICTED
    }

    private static <T extends TalkingRequest<T>> T settings(T request, int tokens) {
        return request.sampler(
                        Sampler.of(Sampler.topK(40), Sampler.temperature(1)).seed(9))
                .logprobs(20)
                .ignoreEnd()
                .maxTokens(tokens);
    }

    private static Reply first(Chat chat) {
        return settings(
                        chat.user("What is a fugue? " + "A subject enters in one voice after the other. ".repeat(5)),
                        12)
                .reply();
    }

    private static Reply second(Chat chat) {
        return settings(chat.user("And a canon?"), 8).reply();
    }

    /** Every bit of what was said. */
    private static String bits(Reply reply) {
        StringBuilder bits = new StringBuilder(Arrays.toString(reply.tokens()));
        for (TokenLogprob token : reply.logprobs()) {
            token.top()
                    .forEach(one -> bits.append(' ')
                            .append(one.id())
                            .append(':')
                            .append(Integer.toHexString(Float.floatToRawIntBits(one.logprob()))));
        }
        return bits.toString();
    }

    /** The model is its own draft model: it needs a share of the cache, so a small budget is no place for it. */
    private Speculation speculation(int number, long budget) {
        return switch (number % 3) {
            case 0 -> Speculation.off();
            case 1 -> Speculation.lookup();
            default -> budget > 0 ? Speculation.lookup().tokens(3) : Speculation.draft(model);
        };
    }

    private Context context(int threads, int chunk, int batch, long budget) {
        return model.newContext(o -> {
            o.contextLength(POSITIONS)
                    .maxSequences(batch)
                    .threads(threads)
                    .stepTokens(chunk)
                    .speculation(speculation(threads - 1, budget));
            if (budget > 0) {
                o.cacheBudget(budget);
            }
        });
    }

    @Test
    void everyPairOfCircumstancesGivesTheSameBits() {
        String expected;
        byte[] saved;
        long page;
        try (Context quiet = context(1, 512, 1, 0);
                Chat chat = quiet.newChat()) {
            first(chat);
            saved = chat.save();
            expected = bits(second(chat));
            page = quiet.status().pageBytes();
        }
        // each pair of threads, chunk and batch is among any three histories, and each of these beside every history
        for (History history : History.values()) {
            for (int i = 0; i < 3; i++) {
                int chunk = CHUNKS[(i + history.ordinal()) % 3];
                int batch = BATCHES[(i + 2 * history.ordinal()) % 3];
                long budget = history == History.EVICTED ? POSITIONS / 64 * page : 0;
                try (Context context = context(1 + i, chunk, batch, budget)) {
                    assertThat(answer(context, history, batch - 1, saved))
                            .as("%s, %d threads, chunks of %d, a batch of %d", history, 1 + i, chunk, batch)
                            .isEqualTo(expected);
                }
            }
        }
    }

    private static String answer(Context context, History history, int others, byte[] saved) {
        try (Chat chat = history == History.RESTORED ? context.restoreChat(saved) : context.newChat()) {
            if (history == History.SHARED) {
                try (Chat before = context.newChat()) {
                    first(before);
                }
            }
            if (history != History.RESTORED) {
                Reply said = first(chat);
                assertThat(said.usage().cachedTokens()).isEqualTo(history == History.SHARED ? 64 : 0);
            }
            if (history == History.EVICTED) {
                int[] many = new int[POSITIONS - 4];
                Arrays.fill(many, 100);
                context.prompt(many).maxTokens(1).text(); // takes all pages
            }
            try (Chat asked = history == History.FORKED ? chat.fork() : chat) {
                List<CompletableFuture<Reply>> talk = new ArrayList<>();
                for (int i = 0; i < others; i++) {
                    talk.add(context.prompt("Once, " + i)
                            .ignoreEnd()
                            .maxTokens(10)
                            .async());
                }
                Reply reply = second(asked);
                talk.forEach(CompletableFuture::join);
                assertThat(reply.usage().cachedTokens() > 0).isEqualTo(history != History.EVICTED);
                return bits(reply);
            }
        }
    }

    /** The lower kernels of this processor, in processes of their own: the portable ones take a while. */
    @Test
    void everyTierGivesTheSameBits() {
        String expected = "bits " + tierBits(model);
        for (String tier : Machine.current().tiers()) {
            ChildJvm.Result result = ChildJvm.run(InATier.class, Map.of("PUNA_CPU_TIER", tier), List.of());
            assertThat(result.text().lines().filter(line -> line.startsWith("bits ")))
                    .as("%s: %s", tier, result.text())
                    .containsExactly(expected);
        }
    }

    private static String tierBits(Model model) {
        return bits(model.prompt("Once upon a time")
                .logprobs(20)
                .sampler(Sampler.greedy())
                .maxTokens(3)
                .reply());
    }

    /** Says the bits of this process's tier. */
    static final class InATier {
        private InATier() {}

        public static void main(String[] arguments) {
            try (Model model = Model.load("smollm2")) {
                System.out.println("bits " + tierBits(model));
            }
        }
    }
}
