// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

/** A native object was used after it was closed. */
public final class NativeClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param what which object
     */
    public NativeClosedException(String what) {
        super("the " + what + " is closed");
    }
}
