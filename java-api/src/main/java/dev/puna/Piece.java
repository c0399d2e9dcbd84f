// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** A piece of generated text: whole characters, perhaps of several tokens. Immutable. */
public final class Piece {
    private final String text;
    private final int tokens;

    Piece(String text, int tokens) {
        this.text = text;
        this.tokens = tokens;
    }

    /** {@return the text, never half a character} */
    public String text() {
        return text;
    }

    /** {@return how many tokens were generated since the piece before; at least 0} */
    public int tokens() {
        return tokens;
    }

    /** {@return the text} */
    @Override
    public String toString() {
        return text;
    }
}
