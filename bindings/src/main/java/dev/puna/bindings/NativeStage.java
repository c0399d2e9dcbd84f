// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;

/**
 * One stage of a sampler chain. Without any stage, or at temperature 0, the best token is taken.
 *
 * @param kind which
 * @param value its setting
 * @param window of penalties: last tokens regarded, -1 all
 * @param repeat of penalties, above 0
 * @param frequency of penalties
 * @param presence of penalties
 * @param threshold of XTC
 * @param rate of mirostat: of learning
 * @param base of DRY
 * @param allowedLength of DRY
 * @param range of a dynamic temperature
 * @param exponent of a dynamic temperature
 * @param decay of adaptive-p
 */
public record NativeStage(
        Kind kind,
        float value,
        int window,
        float repeat,
        float frequency,
        float presence,
        float threshold,
        float rate,
        float base,
        int allowedLength,
        float range,
        float exponent,
        float decay) {
    /** The kinds of stages. */
    public enum Kind {
        /** Divides logits. */
        TEMPERATURE,
        /** Keeps the best k. */
        TOP_K,
        /** Keeps the best that together have probability p. */
        TOP_P,
        /** Keeps those with at least p times the best one's probability. */
        MIN_P,
        /** Lowers what was there already. */
        PENALTIES,
        /** Keeps those whose surprise is nearest to the entropy. */
        TYPICAL,
        /** Keeps those within n standard deviations of the best. */
        TOP_N_SIGMA,
        /** Drops the top choices, sometimes. */
        XTC,
        /** Aims at a surprise, version 1. */
        MIROSTAT,
        /** Aims at a surprise, version 2. */
        MIROSTAT_2,
        /** Lowers what would go on with a repetition. */
        DRY,
        /** Divides logits by what the entropy says. */
        DYNAMIC_TEMPERATURE,
        /** Aims at a probability. */
        ADAPTIVE_P;

        int code() {
            return switch (this) {
                case TEMPERATURE -> PunaH.PUNA_SAMPLE_TEMPERATURE();
                case TOP_K -> PunaH.PUNA_SAMPLE_TOP_K();
                case TOP_P -> PunaH.PUNA_SAMPLE_TOP_P();
                case MIN_P -> PunaH.PUNA_SAMPLE_MIN_P();
                case PENALTIES -> PunaH.PUNA_SAMPLE_PENALTIES();
                case TYPICAL -> PunaH.PUNA_SAMPLE_TYPICAL();
                case TOP_N_SIGMA -> PunaH.PUNA_SAMPLE_TOP_N_SIGMA();
                case XTC -> PunaH.PUNA_SAMPLE_XTC();
                case MIROSTAT -> PunaH.PUNA_SAMPLE_MIROSTAT();
                case MIROSTAT_2 -> PunaH.PUNA_SAMPLE_MIROSTAT_2();
                case DRY -> PunaH.PUNA_SAMPLE_DRY();
                case DYNAMIC_TEMPERATURE -> PunaH.PUNA_SAMPLE_DYNAMIC_TEMPERATURE();
                case ADAPTIVE_P -> PunaH.PUNA_SAMPLE_ADAPTIVE_P();
            };
        }
    }

    /** A stage with one setting. */
    public static NativeStage of(Kind kind, float value) {
        return new NativeStage(kind, value, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1, 0);
    }

    /** The penalties' stage. */
    public static NativeStage penalties(int window, float repeat, float frequency, float presence) {
        return new NativeStage(Kind.PENALTIES, 0, window, repeat, frequency, presence, 0, 0, 1, 1, 0, 1, 0);
    }

    /** Exclude top choices. */
    public static NativeStage xtc(float probability, float threshold) {
        return new NativeStage(Kind.XTC, probability, 0, 1, 0, 0, threshold, 0, 1, 1, 0, 1, 0);
    }

    /** Mirostat, of either kind. */
    public static NativeStage mirostat(Kind kind, float target, float rate) {
        return new NativeStage(kind, target, 0, 1, 0, 0, 0, rate, 1, 1, 0, 1, 0);
    }

    /** DRY. */
    public static NativeStage dry(float multiplier, float base, int allowedLength, int window) {
        return new NativeStage(Kind.DRY, multiplier, window, 1, 0, 0, 0, 0, base, allowedLength, 0, 1, 0);
    }

    /** A temperature that follows the entropy. */
    public static NativeStage dynamicTemperature(float value, float range, float exponent) {
        return new NativeStage(Kind.DYNAMIC_TEMPERATURE, value, 0, 1, 0, 0, 0, 0, 1, 1, range, exponent, 0);
    }

    /** Adaptive-p. */
    public static NativeStage adaptiveP(float target, float decay) {
        return new NativeStage(Kind.ADAPTIVE_P, target, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1, decay);
    }
}
