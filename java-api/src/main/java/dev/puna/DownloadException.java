// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.io.Serial;

/**
 * A model exists but could not be brought here: no network, a refusal, wrong bytes, no room, a store that cannot be
 * written. The sentence says what to do; what was already received is kept and continued by the next attempt. When the
 * caller was interrupted, the cause is an {@link InterruptedException} and the thread's interrupt flag is set.
 */
public class DownloadException extends PunaException {
    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A failure with its sentence.
     *
     * @param message what was looked for, where, and what to do
     */
    public DownloadException(String message) {
        super(message);
    }

    /**
     * A failure with its sentence and its cause.
     *
     * @param message what was looked for, where, and what to do
     * @param cause what led to it
     */
    public DownloadException(String message, Throwable cause) {
        super(message, cause);
    }
}
