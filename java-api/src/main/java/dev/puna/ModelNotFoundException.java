// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.io.Serial;

/**
 * Nothing answers to a model reference: no such file, catalogue name, repository or file in a repository. Trying again
 * does not help; another reference does.
 */
public class ModelNotFoundException extends PunaException {
    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A failure with its sentence.
     *
     * @param message what was looked for, where, and what to do
     */
    public ModelNotFoundException(String message) {
        super(message);
    }

    /**
     * A failure with its sentence and its cause.
     *
     * @param message what was looked for, where, and what to do
     * @param cause what led to it
     */
    public ModelNotFoundException(String message, Throwable cause) {
        super(message, cause);
    }
}
