// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.util.List;

/** No usable native library was found; the message says what was tried, and why each was of no use. */
public final class NativeLoadException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> tried;

    /**
     * Creates the exception.
     *
     * @param message a sentence that names all that was tried
     * @param tried each place with the reason why it was of no use
     */
    public NativeLoadException(String message, List<String> tried) {
        super(message);
        this.tried = List.copyOf(tried);
    }

    /**
     * What was tried, in order.
     *
     * @return each place with its reason
     */
    public List<String> tried() {
        return tried == null ? List.of() : tried;
    }
}
