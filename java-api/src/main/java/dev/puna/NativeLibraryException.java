// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.List;

/**
 * No usable native library was found for this platform; the message lists what was tried, and why each was of no use.
 */
public final class NativeLibraryException extends PunaException {
    private static final long serialVersionUID = 1L;

    /** Each place with the reason why it was of no use. */
    @SuppressWarnings("serial")
    private final List<String> tried;

    /**
     * Creates an exception.
     *
     * @param message a sentence with all that was tried
     * @param tried the places, each with its reason
     * @param cause what led to it
     */
    public NativeLibraryException(String message, List<String> tried, Throwable cause) {
        super(message, cause);
        this.tried = List.copyOf(tried);
    }

    /** {@return the places that were tried, in order, each with the reason why it was of no use} */
    public List<String> tried() {
        return tried;
    }
}
