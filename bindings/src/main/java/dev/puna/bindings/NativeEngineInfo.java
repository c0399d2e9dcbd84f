// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.puna_engine_info;
import java.lang.foreign.MemorySegment;

/**
 * An engine's state.
 *
 * @param contextLength positions of one sequence
 * @param threads that compute
 * @param stepTokens prompt tokens computed in one step
 * @param sequences open now
 * @param running of those: in the batch
 * @param waiting of those: in the queue
 * @param pagePositions positions that one page holds
 * @param pageBytes its size
 * @param pagesTotal that the budget allows
 * @param pagesUsed referenced by sequences now
 * @param memoryBytes accounted to the engine now
 * @param steps since it was created, as are those below
 * @param evictions times that a sequence lost its pages to another one
 * @param promptTokens of prompts, computed
 * @param generatedTokens generated
 * @param prefixHitTokens of prompts, found in the cache
 * @param pagesCached held by nobody, kept since a prompt may begin alike
 * @param paused sequences: with a generation that is held back
 * @param draftedTokens guessed ahead and computed
 * @param acceptedTokens of those, right
 */
public record NativeEngineInfo(
        int contextLength,
        int threads,
        int stepTokens,
        int sequences,
        int running,
        int waiting,
        int pagePositions,
        long pageBytes,
        long pagesTotal,
        long pagesUsed,
        long memoryBytes,
        long steps,
        long evictions,
        long promptTokens,
        long generatedTokens,
        long prefixHitTokens,
        long pagesCached,
        int paused,
        long draftedTokens,
        long acceptedTokens) {
    /** A copy of what the core wrote. */
    static NativeEngineInfo read(MemorySegment info) {
        return new NativeEngineInfo(
                puna_engine_info.context_length(info),
                puna_engine_info.threads(info),
                puna_engine_info.step_tokens(info),
                puna_engine_info.sequences(info),
                puna_engine_info.running(info),
                puna_engine_info.waiting(info),
                puna_engine_info.page_positions(info),
                puna_engine_info.page_bytes(info),
                puna_engine_info.pages_total(info),
                puna_engine_info.pages_used(info),
                puna_engine_info.memory_bytes(info),
                puna_engine_info.steps(info),
                puna_engine_info.evictions(info),
                puna_engine_info.prompt_tokens(info),
                puna_engine_info.generated_tokens(info),
                puna_engine_info.prefix_hit_tokens(info),
                puna_engine_info.pages_cached(info),
                puna_engine_info.paused(info),
                puna_engine_info.drafted_tokens(info),
                puna_engine_info.accepted_tokens(info));
    }
}
