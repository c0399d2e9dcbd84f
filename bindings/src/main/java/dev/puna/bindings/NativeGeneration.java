// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
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

    /**
     * A generation of some components.
     *
     * <pre>{@code
     * NativeGeneration eight = NativeGeneration.of(c -> c.maxTokens = 8);
     * }</pre>
     *
     * @param set sets those that are not as {@link Components} begins
     * @return a new one
     */
    public static NativeGeneration of(Consumer<Components> set) {
        Components c = new Components();
        set.accept(c);
        return c.made();
    }

    /** The same with another bound. */
    public NativeGeneration bounded(int tokens) {
        return changed(c -> c.maxTokens = tokens);
    }

    /** The same, held to a grammar. */
    public NativeGeneration held(NativeGrammar to) {
        return changed(c -> c.grammar = to);
    }

    /** The same, with a full context that drops tokens behind the first ones. */
    public NativeGeneration shifting(int keeping) {
        return changed(c -> c.keep = keeping);
    }

    /** The same, with its logits shown. */
    public NativeGeneration showing() {
        return changed(c -> c.shown = true);
    }

    /** The same, with nothing guessed ahead. */
    public NativeGeneration undrafted() {
        return changed(c -> c.drafts = false);
    }

    /** The same, with these adapters. */
    public NativeGeneration adapted(List<NativeAdapter.Use> with) {
        return changed(c -> c.adapters = with);
    }

    /** The same as a search. */
    public NativeGeneration searching(@Nullable NativeBeams by) {
        return changed(c -> c.beams = by);
    }

    private NativeGeneration changed(Consumer<Components> change) {
        Components c = new Components(this);
        change.accept(c);
        return c.made();
    }

    /** What a generation has, to be set; without a word: a greedy one, as long as the context lasts. */
    public static final class Components {
        public int maxTokens;
        public long seed;
        public List<NativeStage> stages = List.of();
        public List<String> stops = List.of();
        public boolean logprobs;
        public int topLogprobs;
        public boolean ignoreEos;
        public Map<Integer, Float> biases = Map.of();
        public List<String> breakers = List.of();
        public @Nullable NativeGrammar grammar;
        public int keep = -1;
        public boolean shown;
        public boolean drafts = true;
        public List<NativeAdapter.Use> adapters = List.of();
        public @Nullable NativeBeams beams;

        private Components() {}

        private Components(NativeGeneration from) {
            maxTokens = from.maxTokens;
            seed = from.seed;
            stages = from.stages;
            stops = from.stops;
            logprobs = from.logprobs;
            topLogprobs = from.topLogprobs;
            ignoreEos = from.ignoreEos;
            biases = from.biases;
            breakers = from.breakers;
            grammar = from.grammar;
            keep = from.keep;
            shown = from.shown;
            drafts = from.drafts;
            adapters = from.adapters;
            beams = from.beams;
        }

        private NativeGeneration made() {
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
                    beams);
        }
    }
}
