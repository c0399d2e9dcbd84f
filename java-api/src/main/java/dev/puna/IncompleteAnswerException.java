// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/**
 * An answer that should have become a value ended before it was whole: it reached {@code maxTokens}, the context's end
 * or the timeout, or was cancelled. A longer {@code maxTokens} helps, or a prompt that asks for less. A
 * chat keeps the cut answer; {@link Chat#rewindTurns} takes it back.
 */
public class IncompleteAnswerException extends PunaException {
    private static final long serialVersionUID = 1L;

    /** What there is. */
    private final transient Reply partial;

    IncompleteAnswerException(Reply partial) {
        super("the answer ended by " + partial.stopReason() + " after " + partial.tokens().length
                + " tokens, before it was a whole value; partial() has its beginning");
        this.partial = partial;
    }

    /** {@return the reply as far as it came; its text is the beginning of something valid} */
    public Reply partial() {
        return partial;
    }
}
