// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** The queue of waiting requests is full: try again later, or allow a longer queue. */
public final class BusyException extends PunaException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message how many wait
     */
    public BusyException(String message) {
        super(message);
    }
}
