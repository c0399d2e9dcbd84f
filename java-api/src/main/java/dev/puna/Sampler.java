// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeStage;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * How the next token is chosen: a chain of stages, applied in the order given, and a seed.
 *
 * <pre>{@code
 * Sampler creative = Sampler.of(Sampler.topK(40), Sampler.topP(.95f), Sampler.temperature(.8f)).seed(42);
 * Sampler exact = Sampler.greedy();
 * }</pre>
 *
 * Draws are a hash of seed and position: equal seeds give equal tokens, whatever else the engine does meanwhile.
 * Immutable; any thread.
 */
public final class Sampler {
    private final List<NativeStage> stages;
    private final OptionalLong seed;

    private Sampler(List<NativeStage> stages, OptionalLong seed) {
        this.stages = List.copyOf(stages);
        this.seed = seed;
    }

    /** One stage of a chain, made by the functions below. Immutable. */
    public static final class Stage {
        private final NativeStage stage;

        private Stage(NativeStage stage) {
            this.stage = stage;
        }
    }

    /** Settings of {@link Sampler#penalties}; those that are not set change nothing. */
    public static final class Penalties {
        private int window = 64;
        private float repeat = 1;
        private float frequency;
        private float presence;

        private Penalties() {}

        /**
         * How many of the last tokens are looked at, the prompt's included; 64 unless set.
         *
         * @param tokens at least 0; -1 for all
         * @return this
         */
        public Penalties window(int tokens) {
            window = range("window", tokens, -1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Divides the logit of what was there (multiplies a negative one): CTRL, arXiv:1909.05858.
         *
         * @param factor above 0; 1 changes nothing
         * @return this
         */
        public Penalties repeat(float factor) {
            if (!(factor > 0) || Float.isInfinite(factor)) {
                throw new IllegalArgumentException("repeat is " + factor + "; it must be a number above 0");
            }
            repeat = factor;
            return this;
        }

        /**
         * Subtracted for each time that a token was there.
         *
         * @param amount -100 to 100
         * @return this
         */
        public Penalties frequency(float amount) {
            frequency = range("frequency", amount, -100, 100);
            return this;
        }

        /**
         * Subtracted once from each token that was there.
         *
         * @param amount -100 to 100
         * @return this
         */
        public Penalties presence(float amount) {
            presence = range("presence", amount, -100, 100);
            return this;
        }
    }

    /** {@return the sampler that always takes the most probable token; ties go to the lower id} */
    public static Sampler greedy() {
        return new Sampler(List.of(NativeStage.of(NativeStage.Kind.TEMPERATURE, 0)), OptionalLong.of(0));
    }

    /**
     * A chain of stages.
     *
     * @param stages at most 16, in the order in which they apply; none is greedy
     * @return the sampler
     */
    public static Sampler of(Stage... stages) {
        if (stages.length > 16) {
            throw new IllegalArgumentException(stages.length + " stages; at most 16 are possible");
        }
        List<NativeStage> all = new ArrayList<>();
        for (Stage stage : stages) {
            all.add(stage.stage);
        }
        return new Sampler(all, OptionalLong.empty());
    }

    /**
     * Divides logits by a temperature: above 1 flatter, below 1 sharper; 0 is greedy.
     *
     * @param value 0 to 100
     * @return the stage
     */
    public static Stage temperature(float value) {
        return stage(NativeStage.Kind.TEMPERATURE, range("temperature", value, 0, 100));
    }

    /**
     * Keeps the k most probable tokens.
     *
     * @param k at least 1; 0 keeps all
     * @return the stage
     */
    public static Stage topK(int k) {
        return stage(NativeStage.Kind.TOP_K, range("topK", k, 0, 1 << 24));
    }

    /**
     * Keeps the most probable tokens that together have probability p: nucleus sampling, arXiv:1904.09751.
     *
     * @param p 0 to 1; 1 keeps all
     * @return the stage
     */
    public static Stage topP(float p) {
        return stage(NativeStage.Kind.TOP_P, range("topP", p, 0, 1));
    }

    /**
     * Keeps tokens at least p times as probable as the best one: arXiv:2407.01082.
     *
     * @param p 0 to 1; 0 keeps all
     * @return the stage
     */
    public static Stage minP(float p) {
        return stage(NativeStage.Kind.MIN_P, range("minP", p, 0, 1));
    }

    /**
     * Lowers tokens that were there already. Put in front of the chain.
     *
     * @param settings sets what is wanted
     * @return a sampler with the same chain behind the penalties
     */
    public Sampler penalties(Consumer<Penalties> settings) {
        Penalties p = new Penalties();
        settings.accept(p);
        List<NativeStage> all = new ArrayList<>();
        all.add(NativeStage.penalties(p.window, p.repeat, p.frequency, p.presence));
        all.addAll(stages);
        return new Sampler(all, seed);
    }

    /**
     * Fixes the seed; without one each generation takes a fresh one and reports it.
     *
     * @param value any
     * @return a sampler with this seed
     */
    public Sampler seed(long value) {
        return new Sampler(stages, OptionalLong.of(value));
    }

    List<NativeStage> stages() {
        return stages;
    }

    OptionalLong seed() {
        return seed;
    }

    private static Stage stage(NativeStage.Kind kind, float value) {
        return new Stage(NativeStage.of(kind, value));
    }

    private static float range(String name, float value, float low, float high) {
        if (!(value >= low && value <= high)) {
            throw new IllegalArgumentException(name + " is " + value + "; it may be " + low + " to " + high);
        }
        return value;
    }

    private static int range(String name, int value, int low, int high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(name + " is " + value + "; it may be " + low + " to " + high);
        }
        return value;
    }
}
