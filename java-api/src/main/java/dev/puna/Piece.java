// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/**
 * A piece of generated text: whole characters, perhaps of several tokens. Immutable.
 *
 * <pre>{@code
 * for (Piece piece : stream) {
 *     if (piece.channel() == Channel.ANSWER) {
 *         System.out.print(piece);
 *     }
 * }
 * }</pre>
 */
public final class Piece {
    private final String text;
    private final int tokens;
    private final Channel channel;

    Piece(String text, int tokens, Channel channel) {
        this.channel = channel;
        this.text = text;
        this.tokens = tokens;
    }

    /** {@return the text, never half a character} */
    public String text() {
        return text;
    }

    /** {@return what the text is a part of; a model without marks only answers} */
    public Channel channel() {
        return channel;
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
