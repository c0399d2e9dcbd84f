// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.store.ModelStore;
import dev.puna.testing.Models;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What was planned beside what is accounted for. */
@Timeout(60)
class MemoryPlanTest {
    @Test
    void thePlanOfTheDefaultModel() {
        Model.Builder builder =
                Model.builder("smollm2").defaultContext(o -> o.maxSequences(2).contextLength(1024));
        MemoryPlan plan = builder.plan();
        assertThat(plan.total())
                .isEqualTo(plan.weights() + plan.vocabulary() + plan.cache() + plan.scratch() + plan.sequences());
        assertThat(plan.base()).isEqualTo(plan.total() - plan.cache() - plan.sequences());
        assertThat(plan.contextLength()).isEqualTo(1024);
        assertThat(plan.cache()).isEqualTo(2 * 1024 * plan.cachePerPosition());
        assertThat(plan.cachePerPosition()).isEqualTo(30 * 2 * 3 * 64 * 2); // layers, K and V, heads, numbers, bytes
        assertThat(plan.fits()).isTrue();
        assertThat(plan.toString()).contains("weights", "MiB");
        compare(Models.smollm2().path(), o -> o.maxSequences(2).contextLength(1024));
    }

    @Test
    void plannedIsAccountedWithinTwoPercent() {
        Path tiny = Models.TINY;
        Path smollm2 = Models.smollm2().path();
        compare(tiny, o -> o.maxSequences(1).contextLength(64).threads(1));
        compare(tiny, o -> o.maxSequences(40).contextLength(512).threads(2));
        compare(tiny, o -> o.maxSequences(3).contextLength(256).threads(1).cacheType(CacheType.F32));
        compare(tiny, o -> o.maxSequences(3).contextLength(256).threads(1).cacheType(CacheType.Q8_0));
        compare(smollm2, o -> o.maxSequences(1).contextLength(256).threads(1));
        compare(smollm2, o -> o.maxSequences(3).contextLength(128).threads(2).cacheType(CacheType.F32));
        compare(smollm2, o -> o.maxSequences(8).contextLength(192).threads(4).stepTokens(64));
    }

    /** What a decoder reads texts with is planned, and stays while others generate. */
    @Test
    void embeddingIsPlanned() {
        Consumer<ContextOptions> options =
                o -> o.maxSequences(3).contextLength(256).threads(1);
        for (Path file : List.of(Models.TINY, Models.smollm2().path())) {
            Model.Builder builder = Model.builder(file).defaultContext(options);
            MemoryPlan plan = builder.plan();
            assertThat(plan.embedding()).isPositive();
            try (Model model = builder.load()) {
                long created = model.statistics().memoryBytes();
                model.embed(List.of("two", "texts")).vectors();
                long kept = model.statistics().memoryBytes() - created;
                assertThat(kept).isBetween(plan.embedding() * 8 / 10, plan.embedding() + plan.sequences());
                Optional<Statistics> full = Optional.empty();
                while (full.isEmpty()) {
                    full = fill(model, 3, plan.contextLength());
                }
                within(
                        plan.total() + plan.embedding(),
                        model.info().memoryBytes() + full.get().memoryBytes());
            }
        }
    }

    /** Loads a model, fills its cache, and looks at what is accounted meanwhile. */
    private static void compare(Path file, Consumer<ContextOptions> options) {
        Model.Builder builder = Model.builder(file).defaultContext(options);
        MemoryPlan plan = builder.plan();
        try (Model model = builder.load()) {
            long loaded = model.info().memoryBytes();
            assertThat(loaded).isEqualTo(plan.weights() + plan.vocabulary());
            int sequences = (int) (plan.cache() / plan.cachePerPosition() / plan.contextLength());
            within(plan.base(), loaded + model.statistics().memoryBytes());
            Statistics empty = model.statistics();
            assertThat(empty.pagesTotal() * empty.pageBytes()).isEqualTo(plan.cache());
            Optional<Statistics> full = Optional.empty();
            while (full.isEmpty()) { // a small model may be through before anybody looks
                full = fill(model, sequences, plan.contextLength());
            }
            within(plan.total(), loaded + full.get().memoryBytes());
        }
    }

    /** Fills all sequences; what was accounted while every page was in use. */
    private static Optional<Statistics> fill(Model model, int sequences, int contextLength) {
        List<TextStream> streams = new ArrayList<>();
        for (int i = 0; i < sequences; i++) {
            int[] ids = new int[contextLength - 50]; // the last page is begun, and the first ones wait for the last
            Arrays.fill(ids, 40 + i);
            streams.add(model.prompt(ids).ignoreEnd().stream());
        }
        Optional<Statistics> full = Optional.empty();
        while (!streams.stream().allMatch(TextStream::isDone)) {
            Statistics now = model.statistics();
            if (now.pagesUsed() == now.pagesTotal() && now.running() == sequences) {
                full = Optional.of(now);
            }
        }
        return full;
    }

    private static void within(long planned, long accounted) {
        assertThat((double) planned / accounted)
                .as("%d planned, %d accounted", planned, accounted)
                .isBetween(0.98, 1.02);
    }

    @Test
    void pagesAreTakenOnDemand() {
        try (Context context =
                Models.smollm2().newContext(o -> o.maxSequences(1).contextLength(2048))) {
            long empty = context.status().memoryBytes();
            try (Chat chat = context.newChat()) {
                chat.user("word ".repeat(500)).maxTokens(1).text();
                long used = context.status().pagesUsed();
                assertThat(used).isBetween(500L / 64, 700L / 64);
                assertThat(context.status().memoryBytes()).isGreaterThan(empty);
            }
            assertThat(context.status().pagesUsed()).isZero();
        }
    }

    @Test
    void progressIsTold() {
        List<LoadProgress> told = new ArrayList<>();
        Model model = Model.builder("smollm2")
                .store(ModelStore.standard())
                .onProgress(told::add)
                .load();
        model.close();
        assertThat(told).isNotEmpty();
        LoadProgress last = told.getLast();
        assertThat(last.stage()).isEqualTo(LoadProgress.Stage.LOADING);
        assertThat(last.done()).isEqualTo(last.total()).isEqualTo(model.info().fileBytes());
    }

    @Test
    void aListenerThatThrowsEndsTheLoading() {
        RuntimeException reason = new IllegalStateException("enough");
        for (boolean atTheEnd : new boolean[] {false, true}) { // the first word or the last: fast loading has only one
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> Model.builder("smollm2")
                            .onProgress(progress -> {
                                boolean last = progress.done() == progress.total();
                                if (progress.stage() == LoadProgress.Stage.LOADING && (last || !atTheEnd)) {
                                    throw reason;
                                }
                            })
                            .load())
                    .isSameAs(reason);
        }
    }

    @Test
    void anInterruptEndsTheLoading() {
        var path = Models.smollm2().path();
        Thread.currentThread().interrupt();
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> Model.load(path))
                .isInstanceOf(PunaException.class)
                .hasMessageContaining("interrupted");
        assertThat(Thread.interrupted()).isTrue();
    }
}
