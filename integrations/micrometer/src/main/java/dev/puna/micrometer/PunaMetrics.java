// SPDX-License-Identifier: Apache-2.0
package dev.puna.micrometer;

import dev.puna.Generator;
import dev.puna.Observer;
import dev.puna.Statistics;
import dev.puna.StopReason;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * Meters of a model's default context, or of any context: queue, batch, tokens, cache, times.
 *
 * <pre>{@code
 * try (PunaMetrics metrics = new PunaMetrics(model, Tags.of("model", "smollm2"))) {
 *     metrics.bindTo(registry);
 *     // serve
 * }
 * }</pre>
 *
 * The names stand in the module's README. Gauges and counters are read when the registry asks; timers and distributions
 * are recorded as the engine works, but not on its thread. It may be bound to several registries. A context that is
 * forgotten is not kept alive; one that was closed keeps its last figures. Any thread.
 */
public final class PunaMetrics implements MeterBinder, AutoCloseable {
    private final WeakReference<Generator> watched;
    private final Tags tags;
    private final List<Bound> bound = new ArrayList<>(); // guarded by this, as below
    private boolean closed;

    /** What one registry got. */
    private record Bound(MeterRegistry registry, List<Meter> meters, Observer.Registration registration) {}

    /**
     * Meters without tags of their own.
     *
     * @param watched a model, whose default context is made if it is not there yet, or a context
     */
    public PunaMetrics(Generator watched) {
        this(watched, Tags.empty());
    }

    /**
     * Meters with tags: to tell several models or contexts apart.
     *
     * @param watched a model, whose default context is made if it is not there yet, or a context
     * @param tags of all meters
     */
    public PunaMetrics(Generator watched, Iterable<Tag> tags) {
        this.watched = new WeakReference<>(watched);
        this.tags = Tags.of(tags);
    }

    /**
     * Registers the meters.
     *
     * @param registry where
     * @throws IllegalStateException if this is closed
     */
    @Override
    public synchronized void bindTo(MeterRegistry registry) {
        if (closed) {
            throw new IllegalStateException("these meters are closed");
        }
        Generator generator = watched.get();
        if (generator == null) {
            return;
        }
        List<Meter> meters = new ArrayList<>();
        now(registry, generator, meters);
        counts(registry, generator, meters);
        Observer.Registration registration = generator.observe(recorder(registry, meters));
        meters.add(FunctionCounter.builder("puna.observer.missed", registration, Observer.Registration::missed)
                .description("Steps and ends that these meters missed")
                .tags(tags)
                .register(registry));
        bound.add(new Bound(registry, meters, registration));
    }

    private void now(MeterRegistry registry, Generator g, List<Meter> meters) {
        meters.add(gauge("puna.queue.length", "Requests that wait", g, s -> s.waiting(), tags, "requests")
                .register(registry));
        String sequences = "Sequences in the batch (running), held back for slow readers and hooks (paused), and chats"
                + " between their turns (idle)";
        meters.add(gauge("puna.sequences", sequences, g, s -> s.running(), tags.and("state", "running"), "sequences")
                .register(registry));
        meters.add(gauge("puna.sequences", sequences, g, s -> s.paused(), tags.and("state", "paused"), "sequences")
                .register(registry));
        meters.add(gauge("puna.sequences", sequences, g, s -> s.idle(), tags.and("state", "idle"), "sequences")
                .register(registry));
        String pages = "Pages of keys and values: of sequences (used), kept for equal beginnings (cached), free";
        meters.add(gauge("puna.cache.pages", pages, g, s -> s.pagesUsed(), tags.and("state", "used"), "pages")
                .register(registry));
        meters.add(gauge("puna.cache.pages", pages, g, s -> s.pagesCached(), tags.and("state", "cached"), "pages")
                .register(registry));
        meters.add(gauge(
                        "puna.cache.pages",
                        pages,
                        g,
                        s -> s.pagesTotal() - s.pagesUsed() - s.pagesCached(),
                        tags.and("state", "free"),
                        "pages")
                .register(registry));
        meters.add(gauge(
                        "puna.cache.used",
                        "Memory of the pages in use",
                        g,
                        s -> s.pagesUsed() * s.pageBytes(),
                        tags,
                        BaseUnits.BYTES)
                .register(registry));
        meters.add(gauge("puna.memory", "Memory of the context", g, s -> s.memoryBytes(), tags, BaseUnits.BYTES)
                .register(registry));
    }

    private static Gauge.Builder<Generator> gauge(
            String name, String about, Generator g, ToDoubleFunction<Statistics> value, Tags tags, String unit) {
        return Gauge.builder(name, g, generator -> value.applyAsDouble(generator.statistics()))
                .description(about)
                .tags(tags)
                .baseUnit(unit);
    }

    private void counts(MeterRegistry registry, Generator g, List<Meter> meters) {
        String tokens = "Tokens: computed of prompts, found in the cache instead, generated";
        meters.add(counter("puna.tokens", tokens, g, Statistics::promptTokens, tags.and("kind", "prompt"), "tokens")
                .register(registry));
        meters.add(counter("puna.tokens", tokens, g, Statistics::cachedTokens, tags.and("kind", "cached"), "tokens")
                .register(registry));
        meters.add(
                counter("puna.tokens", tokens, g, Statistics::generatedTokens, tags.and("kind", "generated"), "tokens")
                        .register(registry));
        String drafts = "Tokens guessed ahead and computed: right ones (accepted) and others (rejected)";
        meters.add(counter(
                        "puna.draft.tokens",
                        drafts,
                        g,
                        Statistics::acceptedTokens,
                        tags.and("result", "accepted"),
                        "tokens")
                .register(registry));
        meters.add(counter(
                        "puna.draft.tokens",
                        drafts,
                        g,
                        s -> s.draftedTokens() - s.acceptedTokens(),
                        tags.and("result", "rejected"),
                        "tokens")
                .register(registry));
        meters.add(counter(
                        "puna.evictions",
                        "Times that a sequence lost its pages to another one",
                        g,
                        Statistics::evictions,
                        tags,
                        "evictions")
                .register(registry));
    }

    private static FunctionCounter.Builder<Generator> counter(
            String name, String about, Generator g, ToDoubleFunction<Statistics> value, Tags tags, String unit) {
        return FunctionCounter.builder(name, g, generator -> value.applyAsDouble(generator.statistics()))
                .description(about)
                .tags(tags)
                .baseUnit(unit);
    }

    private Recorder recorder(MeterRegistry registry, List<Meter> meters) {
        DistributionSummary batch = DistributionSummary.builder("puna.batch.size")
                .description("Sequences of each step")
                .baseUnit("sequences")
                .tags(tags)
                .serviceLevelObjectives(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
                .register(registry);
        Timer step = Timer.builder("puna.step")
                .description("Time of each step")
                .tags(tags)
                .register(registry);
        Timer first = Timer.builder("puna.first.token")
                .description("From the request to its first token")
                .tags(tags)
                .publishPercentileHistogram()
                .register(registry);
        meters.addAll(List.of(batch, step, first));
        List<Timer> ends = new ArrayList<>();
        for (StopReason reason : StopReason.values()) {
            ends.add(end(registry, reason.name().toLowerCase(Locale.ROOT)));
        }
        Timer failed = end(registry, "failed");
        meters.addAll(ends);
        meters.add(failed);
        return new Recorder(batch, step, first, ends, failed);
    }

    private Timer end(MeterRegistry registry, String stop) {
        return Timer.builder("puna.generation")
                .description("From the request to its end")
                .tags(tags.and("stop", stop))
                .register(registry);
    }

    /** Holds meters alone, so that a forgotten context can be found out. */
    private record Recorder(DistributionSummary batch, Timer step, Timer first, List<Timer> ends, Timer failed)
            implements Observer {
        @Override
        public void stepped(Step did) {
            if (did.sequences() > 0) {
                batch.record(did.sequences());
                step.record(did.duration());
            }
        }

        @Override
        public void ended(End end) {
            end.timeToFirstToken().ifPresent(first::record);
            Timer timer =
                    end.stopReason().map(reason -> ends.get(reason.ordinal())).orElse(failed);
            timer.record(end.timings()
                    .queued()
                    .plus(end.timings().prompt())
                    .plus(end.timings().generation()));
        }
    }

    /** Takes the meters out of their registries; without effect the second time. */
    @Override
    public synchronized void close() {
        closed = true;
        for (Bound one : bound) {
            one.registration().close();
            one.meters().forEach(one.registry()::remove);
        }
        bound.clear();
    }
}
