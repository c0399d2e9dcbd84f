// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** A part of a message. A switch over the cases needs a {@code default}: later versions add some. Immutable. */
public sealed interface Content {
    /**
     * Text.
     *
     * @param text any text
     */
    record Text(String text) implements Content {}

    /**
     * A text as content.
     *
     * @param text any text
     * @return the part
     */
    static Content text(String text) {
        return new Text(text);
    }
}
