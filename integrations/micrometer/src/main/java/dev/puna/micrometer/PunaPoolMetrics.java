// SPDX-License-Identifier: Apache-2.0
package dev.puna.micrometer;

import dev.puna.ModelPool;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.lang.ref.WeakReference;
import java.util.function.ToDoubleFunction;

/**
 * Meters of a pool of models: how many are loaded, their memory, loads and unloads.
 *
 * <pre>{@code
 * new PunaPoolMetrics(pool).bindTo(registry);
 * }</pre>
 *
 * A pool that is forgotten is not kept alive. Any thread.
 */
public final class PunaPoolMetrics implements MeterBinder {
    private final WeakReference<ModelPool> watched;
    private final Tags tags;

    /**
     * Meters without tags of their own.
     *
     * @param pool which
     */
    public PunaPoolMetrics(ModelPool pool) {
        this(pool, Tags.empty());
    }

    /**
     * Meters with tags.
     *
     * @param pool which
     * @param tags of all meters
     */
    public PunaPoolMetrics(ModelPool pool, Iterable<Tag> tags) {
        this.watched = new WeakReference<>(pool);
        this.tags = Tags.of(tags);
    }

    /**
     * Registers the meters.
     *
     * @param registry where
     */
    @Override
    public void bindTo(MeterRegistry registry) {
        ModelPool pool = watched.get();
        if (pool == null) {
            return;
        }
        gauge(
                        "puna.pool.models",
                        "Models that are loaded",
                        pool,
                        s -> s.models().size(),
                        tags,
                        "models")
                .register(registry);
        String memory = "Memory of the models, by their plans";
        gauge("puna.pool.memory", memory, pool, s -> s.memoryUsed(), tags.and("state", "used"), BaseUnits.BYTES)
                .register(registry);
        gauge(
                        "puna.pool.memory",
                        memory,
                        pool,
                        s -> s.memoryTotal() - s.memoryUsed(),
                        tags.and("state", "free"),
                        BaseUnits.BYTES)
                .register(registry);
        counter("puna.pool.loads", "Models that were loaded", pool, s -> s.loads(), tags)
                .register(registry);
        counter("puna.pool.hits", "Requests that found their model loaded", pool, s -> s.hits(), tags)
                .register(registry);
        String unloads = "Models that were unloaded";
        counter("puna.pool.unloads", unloads, pool, s -> s.idleUnloads(), tags.and("reason", "idle"))
                .register(registry);
        counter("puna.pool.unloads", unloads, pool, s -> s.memoryUnloads(), tags.and("reason", "memory"))
                .register(registry);
    }

    private static Gauge.Builder<ModelPool> gauge(
            String name,
            String about,
            ModelPool pool,
            ToDoubleFunction<ModelPool.Status> value,
            Tags tags,
            String unit) {
        return Gauge.builder(name, pool, p -> value.applyAsDouble(p.status()))
                .description(about)
                .tags(tags)
                .baseUnit(unit);
    }

    private static FunctionCounter.Builder<ModelPool> counter(
            String name, String about, ModelPool pool, ToDoubleFunction<ModelPool.Status> value, Tags tags) {
        return FunctionCounter.builder(name, pool, p -> value.applyAsDouble(p.status()))
                .description(about)
                .tags(tags);
    }
}
