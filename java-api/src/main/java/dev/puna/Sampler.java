// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeStage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    private static final List<String> BREAKERS = List.of("\n", ":", "\"", "*");

    private final List<NativeStage> stages;
    private final OptionalLong seed;

    private final Map<Integer, Float> biases;
    private final List<String> breakers;

    private Sampler(List<NativeStage> stages, OptionalLong seed, Map<Integer, Float> biases, List<String> breakers) {
        this.stages = List.copyOf(stages);
        this.seed = seed;
        this.biases = biases;
        this.breakers = breakers;
    }

    /** One stage of a chain, made by the functions below. Immutable. */
    public static final class Stage {
        private final NativeStage stage;

        private Stage(NativeStage stage) {
            this.stage = stage;
        }
    }

    /** Settings of {@link Sampler#penalties} and {@link Sampler#repetition}; those that are not set change nothing. */
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
        return new Sampler(
                List.of(NativeStage.of(NativeStage.Kind.TEMPERATURE, 0)), OptionalLong.of(0), Map.of(), BREAKERS);
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
        return new Sampler(all, OptionalLong.empty(), Map.of(), BREAKERS);
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
     * Lowers tokens that were there already, at a place in the chain; {@link #penalties} puts it in front.
     *
     * @param settings sets what is wanted
     * @return the stage
     */
    public static Stage repetition(Consumer<Penalties> settings) {
        Penalties p = new Penalties();
        settings.accept(p);
        return new Stage(NativeStage.penalties(p.window, p.repeat, p.frequency, p.presence));
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
     * Keeps the tokens whose surprise is nearest to the entropy, of together probability p: arXiv:2202.00666.
     *
     * @param p 0 to 1; 1 keeps all
     * @return the stage
     */
    public static Stage typical(float p) {
        return stage(NativeStage.Kind.TYPICAL, range("typical", p, 0, 1));
    }

    /**
     * Keeps the tokens within n standard deviations of the best logit: arXiv:2411.07641.
     *
     * @param n 0 to 1,000,000; 0 keeps all
     * @return the stage
     */
    public static Stage topNSigma(float n) {
        return stage(NativeStage.Kind.TOP_N_SIGMA, range("topNSigma", n, 0, 1_000_000));
    }

    /**
     * Exclude top choices: of the tokens with a probability of at least the threshold, now and then only the least
     * probable one stays.
     *
     * @param probability how often, 0 to 1
     * @param threshold 0 to 1; above 0.5 nothing is ever excluded
     * @return the stage
     */
    public static Stage xtc(float probability, float threshold) {
        return new Stage(
                NativeStage.xtc(range("xtc probability", probability, 0, 1), range("xtc threshold", threshold, 0, 1)));
    }

    /**
     * Mirostat 1, arXiv:2007.14966: as many of the best as give the surprise aimed at, by Zipf's law.
     *
     * @param tau the surprise aimed at, in bits, 0 to 100
     * @param eta the rate of learning, 0 to 100
     * @return the stage, which belongs at a chain's end
     */
    public static Stage mirostat(float tau, float eta) {
        return mirostat(NativeStage.Kind.MIROSTAT, tau, eta);
    }

    /**
     * Mirostat 2: those whose surprise is at most a bound, which follows the surprise aimed at.
     *
     * @param tau the surprise aimed at, in bits, 0 to 100
     * @param eta the rate of learning, 0 to 100
     * @return the stage, which belongs at a chain's end
     */
    public static Stage mirostat2(float tau, float eta) {
        return mirostat(NativeStage.Kind.MIROSTAT_2, tau, eta);
    }

    private static Stage mirostat(NativeStage.Kind kind, float tau, float eta) {
        return new Stage(
                NativeStage.mirostat(kind, range("mirostat tau", tau, 0, 100), range("mirostat eta", eta, 0, 100)));
    }

    /**
     * "Don't repeat yourself": a token that would go on with a repetition of L tokens costs multiplier *
     * base^(L - allowedLength). No repetition reaches over a breaker: {@link #dryBreakers}.
     *
     * @param multiplier 0 (none) to 1,000,000
     * @param base 1 to 1,000,000
     * @param allowedLength of a repetition that costs nothing yet goes on, at least 1
     * @param window how many of the last tokens are looked at; -1 for the whole context
     * @return the stage
     */
    public static Stage dry(float multiplier, float base, int allowedLength, int window) {
        return new Stage(NativeStage.dry(
                range("dry multiplier", multiplier, 0, 1_000_000),
                range("dry base", base, 1, 1_000_000),
                range("dry allowedLength", allowedLength, 1, 1 << 20),
                range("dry window", window, -1, 1 << 20)));
    }

    /**
     * A temperature between value - range and value + range: low where the model is sure, high where it is not.
     *
     * @param value 0 to 100
     * @param range 0 to 100
     * @param exponent of the entropy's part of what it could be, 0 to 1000
     * @return the stage
     */
    public static Stage dynamicTemperature(float value, float range, float exponent) {
        return new Stage(NativeStage.dynamicTemperature(
                range("temperature", value, 0, 100),
                range("temperature range", range, 0, 100),
                range("temperature exponent", exponent, 0, 1000)));
    }

    /**
     * Aims at tokens of a probability; what was chosen lately moves the aim the other way.
     *
     * @param target 0 to 1
     * @param decay of what was chosen, 0 to 0.99
     * @return the stage, which belongs at a chain's end
     */
    public static Stage adaptiveP(float target, float decay) {
        return new Stage(NativeStage.adaptiveP(
                range("adaptiveP target", target, 0, 1), range("adaptiveP decay", decay, 0, .99f)));
    }

    /**
     * Adds to tokens' logits, before all stages.
     *
     * @param values by token id: a finite number, or negative infinity, which bans the token
     * @return a sampler with these biases and no others
     */
    public Sampler logitBias(Map<Integer, Float> values) {
        values.forEach((id, value) -> {
            if (id < 0) {
                throw new IllegalArgumentException("logitBias is of token " + id + "; ids begin at 0");
            }
            if (value.isNaN() || value == Float.POSITIVE_INFINITY) {
                throw new IllegalArgumentException("logitBias of token " + id + " is " + value
                        + "; it must be a finite number or negative infinity");
            }
        });
        return new Sampler(stages, seed, Map.copyOf(values), breakers);
    }

    /**
     * Says which texts end a repetition, for {@link #dry}. Unless set: a new line, a colon, a quotation mark, an
     * asterisk.
     *
     * @param texts at most 64, of 1 to 64 bytes of UTF-8
     * @return a sampler with these breakers and no others
     */
    public Sampler dryBreakers(String... texts) {
        if (texts.length > 64) {
            throw new IllegalArgumentException(texts.length + " breakers; at most 64 are possible");
        }
        for (String text : texts) {
            int bytes = text.getBytes(StandardCharsets.UTF_8).length;
            if (bytes < 1 || bytes > 64) {
                throw new IllegalArgumentException("a breaker has " + bytes + " bytes; it must have 1 to 64");
            }
        }
        return new Sampler(stages, seed, biases, List.of(texts));
    }

    /**
     * Lowers tokens that were there already. Put in front of the chain.
     *
     * @param settings sets what is wanted
     * @return a sampler with the same chain behind the penalties
     */
    public Sampler penalties(Consumer<Penalties> settings) {
        List<NativeStage> all = new ArrayList<>();
        all.add(repetition(settings).stage);
        all.addAll(stages);
        return new Sampler(all, seed, biases, breakers);
    }

    /**
     * Fixes the seed; without one each generation takes a fresh one and reports it.
     *
     * @param value any
     * @return a sampler with this seed
     */
    public Sampler seed(long value) {
        return new Sampler(stages, OptionalLong.of(value), biases, breakers);
    }

    List<NativeStage> stages() {
        return stages;
    }

    Map<Integer, Float> biases() {
        return biases;
    }

    List<String> breakers() {
        return breakers;
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
