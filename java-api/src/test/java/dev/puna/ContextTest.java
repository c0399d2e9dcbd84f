// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Contexts on one model: each with a budget, a batch and a queue of its own. */
@Timeout(60)
class ContextTest {
    private static final int LENGTH = 256;

    private static long budgetOf(int contexts) {
        try (Context one = Models.tiny().newContext(o -> o.contextLength(LENGTH).maxSequences(1))) {
            return contexts * one.status().pagesTotal() * one.status().pageBytes();
        }
    }

    private static Context of(int contexts) {
        long budget = budgetOf(contexts);
        return Models.tiny()
                .newContext(o -> o.contextLength(LENGTH).maxSequences(8).cacheBudget(budget));
    }

    private static Prompt work(Context context, int caller) {
        return context.prompt(new int[] {10 + caller, 20, 30, 40 + caller})
                .sampler(Sampler.of(Sampler.temperature(20)).seed(caller))
                .ignoreEnd()
                .maxTokens(220);
    }

    private static List<CompletableFuture<Reply>> ask(Context context, int callers) {
        List<CompletableFuture<Reply>> replies = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            replies.add(work(context, i).async());
        }
        return replies;
    }

    @Test
    void eachKeepsToItsOwnBudget() {
        try (Context narrow = of(1);
                Context wide = of(9)) {
            long empty = narrow.status().memoryBytes();
            assertThat(narrow.status().pagesTotal() * narrow.status().pageBytes())
                    .isEqualTo(budgetOf(1));
            assertThat(wide.status().pagesTotal()).isEqualTo(9 * narrow.status().pagesTotal());
            List<CompletableFuture<Reply>> crowded = ask(narrow, 8);
            List<CompletableFuture<Reply>> roomy = ask(wide, 8);
            while (!crowded.stream().allMatch(CompletableFuture::isDone)) {
                assertThat(narrow.statistics().pagesUsed())
                        .isLessThanOrEqualTo(narrow.statistics().pagesTotal());
                Thread.yield();
            }
            for (int i = 0; i < 8; i++) {
                assertThat(crowded.get(i).join().tokens())
                        .hasSize(220)
                        .isEqualTo(roomy.get(i).join().tokens());
            }
            assertThat(narrow.statistics().evictions()).isPositive();
            assertThat(wide.statistics().evictions()).isZero(); // what one lacks it does not take from the other
            assertThat(narrow.status().memoryBytes() - empty).isLessThan(budgetOf(1) + (1 << 20));
        }
    }

    @Test
    void oneMayCloseWhileOthersWork() {
        Context closing = of(1);
        try (Context going = of(1)) {
            List<CompletableFuture<Reply>> lost = ask(closing, 4);
            List<CompletableFuture<Reply>> kept = ask(going, 4);
            closing.close();
            closing.close();
            for (int i = 0; i < 4; i++) {
                assertThat(kept.get(i).join().tokens()).hasSize(220);
            }
            assertThat(lost).anySatisfy(reply -> assertThat(reply).isCompletedExceptionally());
            assertThatExceptionOfType(ClosedException.class)
                    .isThrownBy(() -> closing.prompt("x").text());
            assertThatExceptionOfType(ClosedException.class).isThrownBy(closing::trim);
            assertThat(closing.statistics().steps()).isPositive(); // the last figures stay
            assertThat(Models.tiny().prompt("x").maxTokens(1).reply().tokens()).hasSize(1);
        }
    }

    /** What chats hold and what is kept for later goes, and comes again to the same bits. */
    @Test
    void trimmingGivesMemoryBack() {
        try (Context context = of(4);
                Chat chat = context.newChat()) {
            long empty = context.status().memoryBytes();
            work(context, 3).reply();
            String first = chat.user("Hello").sampler(Sampler.greedy()).text();
            assertThat(context.statistics().pagesUsed()).isPositive();
            assertThat(context.statistics().pagesCached()).isPositive();
            context.trim();
            assertThat(context.statistics().pagesUsed() + context.statistics().pagesCached())
                    .isZero();
            assertThat(context.status().memoryBytes()).isLessThan(empty + (64 << 10));
            assertThat(chat.user("Say yes.")
                            .sampler(Sampler.greedy())
                            .reply()
                            .usage()
                            .cachedTokens())
                    .isZero();
            assertThat(first).isEqualTo(Models.answer("Hello"));
        }
    }

    @Test
    void trimmingTakesNothingFromWhoRuns() {
        try (Context context = of(4)) {
            Reply expected = work(context, 5).reply();
            CompletableFuture<Reply> running = work(context, 5).async();
            Eventually.holds("it runs or has run", () -> context.status().steps() > 225);
            context.trim();
            assertThat(running.join().tokens()).isEqualTo(expected.tokens());
        }
    }
}
