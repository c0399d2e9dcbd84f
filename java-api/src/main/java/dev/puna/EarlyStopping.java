// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeBeams;

/**
 * When a beam search that has as many answers as beams is over: {@link Request#beams}. The names are those of
 * transformers' {@code early_stopping}.
 */
public enum EarlyStopping {
    /** When the best beginning would not be better than the worst of the answers if it ended now. */
    NO,
    /** At once. */
    YES,
    /** When the best beginning could not become better until {@code maxTokens}: nothing that counts is missed. */
    NEVER;

    NativeBeams.Stop code() {
        return switch (this) {
            case NO -> NativeBeams.Stop.NO;
            case YES -> NativeBeams.Stop.YES;
            case NEVER -> NativeBeams.Stop.NEVER;
        };
    }
}
