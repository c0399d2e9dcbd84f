// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** One prompt alone is longer than the context: shorten it, or load the model with a larger context length. */
public final class ContextFullException extends PunaException {
    private static final long serialVersionUID = 1L;

    /** How much was needed. */
    private final long needed;
    /** How much there was. */
    private final long available;

    /**
     * Creates an exception.
     *
     * @param message what did not fit
     * @param needed positions
     * @param available positions
     */
    public ContextFullException(String message, long needed, long available) {
        super(message);
        this.needed = needed;
        this.available = available;
    }

    /** {@return positions that were needed} */
    public long needed() {
        return needed;
    }

    /** {@return positions that the context has} */
    public long available() {
        return available;
    }
}
