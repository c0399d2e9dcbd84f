// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** A model, context, chat or stream was used after it, or what it belongs to, was closed. */
public final class ClosedException extends PunaException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message what is closed
     */
    public ClosedException(String message) {
        super(message);
    }
}
