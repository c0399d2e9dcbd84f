// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import org.jspecify.annotations.Nullable;

/**
 * The root of everything that can fail in Puna: unchecked, with a sentence to act on. Any thread may throw or read it.
 */
public class PunaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message what happened, where, and what to do
     */
    public PunaException(String message) {
        super(message);
    }

    /**
     * Creates an exception that another one led to.
     *
     * @param message what happened, where, and what to do
     * @param cause what led to it, if anything
     */
    public PunaException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
