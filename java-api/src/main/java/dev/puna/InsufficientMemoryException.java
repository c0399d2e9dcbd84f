// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** Memory is short: use a smaller model, a shorter context or fewer sequences. */
public final class InsufficientMemoryException extends PunaException {
    private static final long serialVersionUID = 1L;

    /** How much was needed. */
    private final long needed;
    /** How much there was. */
    private final long available;

    /**
     * Creates an exception.
     *
     * @param message what did not fit
     * @param needed bytes
     * @param available bytes
     */
    public InsufficientMemoryException(String message, long needed, long available) {
        super(message);
        this.needed = needed;
        this.available = available;
    }

    /** {@return bytes that were needed, 0 if not known} */
    public long needed() {
        return needed;
    }

    /** {@return bytes that there were, 0 if not known} */
    public long available() {
        return available;
    }
}
