// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** A well-formed model that this version can't run; the message says what is missing and what is supported. */
public final class UnsupportedModelException extends PunaException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message what, and what is supported
     */
    public UnsupportedModelException(String message) {
        super(message);
    }
}
