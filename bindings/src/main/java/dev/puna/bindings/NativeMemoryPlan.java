// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_memory_plan;
import java.lang.foreign.MemorySegment;

/**
 * What a model with an engine would need, in bytes.
 *
 * @param contextLength positions of one sequence
 * @param weights packed weights
 * @param cachePosition keys and values a position
 * @param cache the whole budget of keys and values
 * @param scratch activations, logits and tables
 * @param total all of them, as it is then accounted
 * @param available free on this machine now
 * @param vocabulary the tokenizer, the file's metadata and tables about the weights
 * @param sequences what sequences hold beside the cache when it is full
 * @param embedding what a model that generates takes to embed texts; 0 of others
 */
public record NativeMemoryPlan(
        int contextLength,
        long weights,
        long cachePosition,
        long cache,
        long scratch,
        long total,
        long available,
        long vocabulary,
        long sequences,
        long embedding) {
    /**
     * Computes a plan from a file's metadata; no weight is read. The vocabulary is: call it on a platform thread.
     *
     * @param file the model
     * @param options the engine's
     * @return the plan
     */
    public static NativeMemoryPlan of(NativeFile file, NativeEngineOptions options) {
        try (Handle.Use use = file.use();
                Call call = new Call()) {
            MemorySegment plan = call.struct(puna_memory_plan.layout());
            call.check(options.with(call, wanted -> PunaH.puna_plan(file.address(), wanted, plan, call.error())));
            return new NativeMemoryPlan(
                    puna_memory_plan.context_length(plan),
                    puna_memory_plan.weights(plan),
                    puna_memory_plan.cache_position(plan),
                    puna_memory_plan.cache(plan),
                    puna_memory_plan.scratch(plan),
                    puna_memory_plan.total(plan),
                    puna_memory_plan.available(plan),
                    puna_memory_plan.vocabulary(plan),
                    puna_memory_plan.sequences(plan),
                    puna_memory_plan.embedding(plan));
        }
    }
}
