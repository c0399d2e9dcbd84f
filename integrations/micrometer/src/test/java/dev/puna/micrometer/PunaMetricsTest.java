// SPDX-License-Identifier: Apache-2.0
package dev.puna.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.puna.Context;
import dev.puna.Model;
import dev.puna.ModelPool;
import dev.puna.Reply;
import dev.puna.Sampler;
import dev.puna.TextStream;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Meters beside what is known to have happened. */
@Timeout(60)
class PunaMetricsTest {
    private static final Path TINY =
            Path.of(Objects.requireNonNull(System.getProperty("puna.root")), "native/tests/data/tiny/tiny-chat.gguf");

    private static void generate(Context context, int callers, int tokens) {
        List<TextStream> streams = IntStream.range(0, callers)
                .mapToObj(i -> context.prompt(new int[] {10 + i, 20, 30, 40}).ignoreEnd().maxTokens(tokens).stream())
                .toList();
        streams.forEach(TextStream::reply);
    }

    private static void eventually(BooleanSupplier condition) throws InterruptedException {
        for (long end = System.nanoTime() + 30_000_000_000L; !condition.getAsBoolean(); Thread.sleep(2)) {
            assertThat(System.nanoTime()).isLessThan(end);
        }
    }

    @Test
    void metersTellWhatHappened() throws InterruptedException {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (Model model = Model.load(TINY);
                Context context = model.newContext(o -> o.maxSequences(2).contextLength(128));
                PunaMetrics metrics = new PunaMetrics(context, Tags.of("model", "tiny"))) {
            metrics.bindTo(registry);
            generate(context, 5, 20);
            eventually(() -> registry.get("puna.generation")
                            .tag("stop", "length")
                            .timer()
                            .count()
                    == 5);

            assertThat(counter(registry, "generated")).isEqualTo(100);
            assertThat(counter(registry, "prompt")).isEqualTo(20);
            assertThat(counter(registry, "cached")).isZero();
            var batch = registry.get("puna.batch.size").tag("model", "tiny").summary();
            assertThat(batch.count()).isEqualTo(context.statistics().steps());
            assertThat(batch.max()).isEqualTo(2);
            assertThat(registry.get("puna.step").timer().count()).isEqualTo(batch.count());
            var first = registry.get("puna.first.token").timer();
            assertThat(first.count()).isEqualTo(5);
            assertThat(first.totalTime(TimeUnit.NANOSECONDS)).isPositive();
            assertThat(registry.get("puna.generation")
                            .tag("stop", "end")
                            .timer()
                            .count())
                    .isZero();
            assertThat(registry.get("puna.queue.length").gauge().value()).isZero();
            assertThat(registry.get("puna.sequences")
                            .tag("state", "running")
                            .gauge()
                            .value())
                    .isZero();
            assertThat(registry.get("puna.memory").gauge().value()).isPositive();
            assertThat(registry.get("puna.cache.pages")
                            .tag("state", "free")
                            .gauge()
                            .value())
                    .isEqualTo(context.statistics().pagesTotal());
            assertThat(registry.get("puna.observer.missed").functionCounter().count())
                    .isZero();

            context.close();
            assertThat(counter(registry, "generated")).isEqualTo(100); // a dashboard keeps the last figures
            metrics.close();
            assertThat(registry.getMeters()).isEmpty();
            assertThatIllegalStateException().isThrownBy(() -> metrics.bindTo(registry));
        }
    }

    private static double counter(SimpleMeterRegistry registry, String kind) {
        return registry.get("puna.tokens").tag("kind", kind).functionCounter().count();
    }

    @Test
    void aQueueAndAFullCacheShow() throws InterruptedException {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (Model model = Model.load(TINY);
                Context context = model.newContext(o -> o.maxSequences(1).contextLength(4096));
                PunaMetrics metrics = new PunaMetrics(context)) {
            metrics.bindTo(registry);
            CompletableFuture<Reply> running =
                    context.prompt("Hello").ignoreEnd().async();
            CompletableFuture<Reply> waiting =
                    context.prompt("Hello").ignoreEnd().async();
            try {
                eventually(() -> registry.get("puna.queue.length").gauge().value() == 1
                        && registry.get("puna.sequences")
                                        .tag("state", "running")
                                        .gauge()
                                        .value()
                                == 1
                        && registry.get("puna.cache.used").gauge().value() > 0);
                assertThat(waiting.isDone()).isFalse();
                assertThat(running.isDone()).isFalse();
            } finally {
                running.cancel(true);
                waiting.cancel(true);
            }
            eventually(() -> registry.get("puna.generation")
                            .tag("stop", "cancelled")
                            .timer()
                            .count()
                    == 2);
        }
    }

    /** A stream that nobody reads pauses, a whole page of a prompt is kept: each has its own gauge. */
    @Test
    void pausesAndKeptPagesShow() throws InterruptedException {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (Model model = Model.load(TINY);
                Context context = model.newContext(o -> o.maxSequences(1).contextLength(2048));
                PunaMetrics metrics = new PunaMetrics(context)) {
            metrics.bindTo(registry);
            Sampler free = Sampler.of(Sampler.temperature(20)).seed(1);
            try (TextStream unread = context.prompt("Hello").sampler(free).ignoreEnd().stream()) {
                eventually(() -> gauge(registry, "puna.sequences", "paused") == 1);
                assertThat(unread.isDone()).isFalse();
                assertThat(gauge(registry, "puna.sequences", "running")).isZero();
                assertThat(gauge(registry, "puna.sequences", "idle")).isZero();
            }
            eventually(() -> gauge(registry, "puna.sequences", "paused") == 0
                    && gauge(registry, "puna.cache.pages", "used") == 0);
            assertThat(gauge(registry, "puna.cache.pages", "cached")).isPositive();
            double sum = gauge(registry, "puna.cache.pages", "cached") + gauge(registry, "puna.cache.pages", "free");
            assertThat(sum).isEqualTo(context.statistics().pagesTotal());
            context.trim();
            assertThat(gauge(registry, "puna.cache.pages", "cached")).isZero();
        }
    }

    private static double gauge(SimpleMeterRegistry registry, String name, String state) {
        return registry.get(name).tag("state", state).gauge().value();
    }

    @Test
    void prometheusRendersThem() throws InterruptedException {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        try (Model model = Model.builder(TINY)
                        .defaultContext(o -> o.maxSequences(2))
                        .load();
                ModelPool pool = ModelPool.create(
                        o -> o.defaultContext(c -> c.maxSequences(1).contextLength(128)));
                PunaMetrics metrics = new PunaMetrics(model, Tags.of("model", "tiny"))) {
            metrics.bindTo(registry);
            new PunaPoolMetrics(pool).bindTo(registry);
            pool.use(TINY.toString(), Model::info);
            model.prompt("Hello").ignoreEnd().maxTokens(9).text();
            eventually(() -> registry.get("puna.generation")
                            .tag("stop", "length")
                            .timer()
                            .count()
                    == 1);
            String page = registry.scrape();
            assertThat(page.lines())
                    .contains(
                            "puna_tokens_total{kind=\"generated\",model=\"tiny\"} 9.0",
                            "puna_queue_length_requests{model=\"tiny\"} 0.0",
                            "puna_evictions_total{model=\"tiny\"} 0.0",
                            "puna_first_token_seconds_count{model=\"tiny\"} 1",
                            "puna_generation_seconds_count{model=\"tiny\",stop=\"length\"} 1",
                            "puna_batch_size_sequences_count{model=\"tiny\"} 9",
                            "puna_batch_size_sequences_bucket{model=\"tiny\",le=\"1.0\"} 9",
                            "puna_pool_models 1.0",
                            "puna_pool_loads_total 1.0",
                            "puna_pool_unloads_total{reason=\"idle\"} 0.0")
                    .anyMatch(line -> line.startsWith("puna_memory_bytes{model=\"tiny\"} "))
                    .anyMatch(line -> line.startsWith("puna_pool_memory_bytes{state=\"used\"} "));
        }
    }
}
