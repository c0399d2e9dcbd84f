// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import org.jspecify.annotations.Nullable;

/** The thread that waited for a generation was interrupted; the generation was cancelled. Its interrupt flag is set. */
public final class GenerationInterruptedException extends PunaException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable Reply partial;

    /**
     * Creates an exception.
     *
     * @param partial what was generated until then, or null
     */
    public GenerationInterruptedException(@Nullable Reply partial) {
        super("the thread was interrupted while it waited for a generation; the generation was cancelled");
        this.partial = partial;
    }

    /** {@return what was generated until then; null if nothing was} */
    public @Nullable Reply partial() {
        return partial;
    }
}
