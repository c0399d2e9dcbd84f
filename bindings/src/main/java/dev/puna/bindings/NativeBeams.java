// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;

/**
 * A beam search.
 *
 * @param width beginnings of an answer that are followed at once, at least 2
 * @param lengthPenalty an answer's score is its log-probability divided by its tokens to this power
 * @param stop when it is over
 */
public record NativeBeams(int width, float lengthPenalty, Stop stop) {
    /** When a search with as many answers as beams is over. */
    public enum Stop {
        /** When the best beginning would not be better if it ended now. */
        NO,
        /** At once. */
        YES,
        /** When it could not become better. */
        NEVER;

        int code() {
            return switch (this) {
                case NO -> PunaH.PUNA_EARLY_NO();
                case YES -> PunaH.PUNA_EARLY_YES();
                case NEVER -> PunaH.PUNA_EARLY_NEVER();
            };
        }
    }
}
