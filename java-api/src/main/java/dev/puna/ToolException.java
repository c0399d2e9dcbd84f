// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import org.jspecify.annotations.Nullable;

/** Tools did not lead to an answer: one failed where that was to be told, or the model called them again and again. */
public final class ToolException extends PunaException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message which tool, or how many rounds
     * @param cause what the tool threw, if it did
     */
    public ToolException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
