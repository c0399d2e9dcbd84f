// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.store.ModelStore;
import dev.puna.testing.Models;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What was planned beside what is accounted for. */
@Timeout(60)
class MemoryPlanTest {
    @Test
    void theAccountedMemoryIsAsPlanned() {
        Model.Builder builder =
                Model.builder("smollm2").defaultContext(o -> o.maxSequences(2).contextLength(1024));
        MemoryPlan plan = builder.plan();
        assertThat(plan.total()).isEqualTo(plan.weights() + plan.cache() + plan.scratch());
        assertThat(plan.contextLength()).isEqualTo(1024);
        assertThat(plan.cache()).isEqualTo(2 * 1024 * plan.cachePerPosition());
        assertThat(plan.cachePerPosition()).isEqualTo(30 * 2 * 3 * 64 * 2); // layers, K and V, heads, numbers, bytes
        assertThat(plan.fits()).isTrue();
        assertThat(plan.toString()).contains("weights", "MiB");
        try (Model model = builder.load()) {
            assertThat(model.info().memoryBytes()).isBetween(plan.weights(), plan.weights() + (24 << 20));
            assertThat(model.info().memoryBytes()).isLessThan(model.info().fileBytes() * 5 / 4);
            String text = model.prompt("word ".repeat(900)).maxTokens(1).text();
            assertThat(text).isNotNull();
            Context.Status status = model.status();
            assertThat(status.pagesTotal() * status.pageBytes()).isEqualTo(plan.cache());
            assertThat(status.memoryBytes()).isBetween(plan.scratch(), plan.scratch() + plan.cache() + (4 << 20));
        }
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
