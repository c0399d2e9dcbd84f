// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a generation is to do.
 *
 * @param maxTokens 0: as many as the context holds
 * @param seed equal seeds give equal tokens
 * @param stages the sampler chain, in the order in which they apply
 * @param stops generation ends where its text contains one; the stop itself is not handed out
 * @param logprobs whether the chosen token's log-probability is wanted
 * @param topLogprobs how many of the best log-probabilities are wanted at each step
 * @param ignoreEos whether to go on where the model would end
 * @param biases what is added to tokens' logits; -infinity bans one
 * @param breakers texts that DRY counts no repetition across
 * @param grammar what the text must be; null: anything
 * @param keep tokens at the front that stay where a full context drops others; -1: it ends the generation instead
 * @param shown whether logits are told before a token is chosen, and {@link NativeEngine#choose} is waited for
 * @param drafts whether tokens may be guessed ahead, if the engine does that at all
 * @param adapters what changes the model's products for this generation, in order
 * @param beams a search for the most probable answer; null: none
 */
public record NativeGeneration(
        int maxTokens,
        long seed,
        List<NativeStage> stages,
        List<String> stops,
        boolean logprobs,
        int topLogprobs,
        boolean ignoreEos,
        Map<Integer, Float> biases,
        List<String> breakers,
        @Nullable NativeGrammar grammar,
        int keep,
        boolean shown,
        boolean drafts,
        List<NativeAdapter.Use> adapters,
        @Nullable NativeBeams beams) {
    /** Copies the lists. */
    public NativeGeneration {
        stages = List.copyOf(stages);
        stops = List.copyOf(stops);
        biases = Map.copyOf(biases);
        breakers = List.copyOf(breakers);
        adapters = List.copyOf(adapters);
    }

    /** Without biases, breakers, a grammar and what follows. */
    public NativeGeneration(
            int maxTokens,
            long seed,
            List<NativeStage> stages,
            List<String> stops,
            boolean logprobs,
            int topLogprobs,
            boolean ignoreEos) {
        this(
                maxTokens,
                seed,
                stages,
                stops,
                logprobs,
                topLogprobs,
                ignoreEos,
                Map.of(),
                List.of(),
                null,
                -1,
                false,
                true,
                List.of(),
                null);
    }

    /** The same with another bound. */
    public NativeGeneration bounded(int tokens) {
        return new NativeGeneration(
                tokens,
                seed,
                stages,
                stops,
                logprobs,
                topLogprobs,
                ignoreEos,
                biases,
                breakers,
                grammar,
                keep,
                shown,
                drafts,
                adapters,
                beams);
    }

    /** The same, held to a grammar. */
    public NativeGeneration held(NativeGrammar to) {
        return new NativeGeneration(
                maxTokens,
                seed,
                stages,
                stops,
                logprobs,
                topLogprobs,
                ignoreEos,
                biases,
                breakers,
                to,
                keep,
                shown,
                drafts,
                adapters,
                beams);
    }

    /** The same, with a full context that drops tokens behind the first ones. */
    public NativeGeneration shifting(int keeping) {
        return new NativeGeneration(
                maxTokens,
                seed,
                stages,
                stops,
                logprobs,
                topLogprobs,
                ignoreEos,
                biases,
                breakers,
                grammar,
                keeping,
                shown,
                drafts,
                adapters,
                beams);
    }

    /** The same, with its logits shown. */
    public NativeGeneration showing() {
        return new NativeGeneration(
                maxTokens,
                seed,
                stages,
                stops,
                logprobs,
                topLogprobs,
                ignoreEos,
                biases,
                breakers,
                grammar,
                keep,
                true,
                drafts,
                adapters,
                beams);
    }

    /** The same, with nothing guessed ahead. */
    public NativeGeneration undrafted() {
        return new NativeGeneration(
                maxTokens,
                seed,
                stages,
                stops,
                logprobs,
                topLogprobs,
                ignoreEos,
                biases,
                breakers,
                grammar,
                keep,
                shown,
                false,
                adapters,
                beams);
    }

    /** The same, with these adapters. */
    public NativeGeneration adapted(List<NativeAdapter.Use> with) {
        return new NativeGeneration(
                maxTokens,
                seed,
                stages,
                stops,
                logprobs,
                topLogprobs,
                ignoreEos,
                biases,
                breakers,
                grammar,
                keep,
                shown,
                drafts,
                with,
                beams);
    }

    /** The same, as a search. */
    public NativeGeneration searching(@Nullable NativeBeams by) {
        return new NativeGeneration(
                maxTokens,
                seed,
                stages,
                stops,
                logprobs,
                topLogprobs,
                ignoreEos,
                biases,
                breakers,
                grammar,
                keep,
                shown,
                drafts,
                adapters,
                by);
    }
}
