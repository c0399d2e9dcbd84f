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
 */
public record NativeStage(Kind kind, float value, int window, float repeat, float frequency, float presence) {
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
        PENALTIES;

        int code() {
            return switch (this) {
                case TEMPERATURE -> PunaH.PUNA_SAMPLE_TEMPERATURE();
                case TOP_K -> PunaH.PUNA_SAMPLE_TOP_K();
                case TOP_P -> PunaH.PUNA_SAMPLE_TOP_P();
                case MIN_P -> PunaH.PUNA_SAMPLE_MIN_P();
                case PENALTIES -> PunaH.PUNA_SAMPLE_PENALTIES();
            };
        }
    }

    /** A stage with one setting. */
    public static NativeStage of(Kind kind, float value) {
        return new NativeStage(kind, value, 0, 1, 0, 0);
    }

    /** The penalties' stage. */
    public static NativeStage penalties(int window, float repeat, float frequency, float presence) {
        return new NativeStage(Kind.PENALTIES, 0, window, repeat, frequency, presence);
    }
}
