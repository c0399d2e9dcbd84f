// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

/**
 * How one answer is taken apart. Immutable; each reader takes a splitter of its own.
 *
 * @param dialect of the model; without tools where none were offered
 * @param reasoning whether it begins inside the reasoning
 * @param tools that were offered
 */
public record Speech(Dialect dialect, boolean reasoning, Tools tools) {
    /** A text that is nothing but an answer. */
    public static final Speech PLAIN = new Speech(Dialect.NONE, false, Tools.NONE);

    /** {@return a new splitter} */
    public Splitter splitter() {
        return new Splitter(this);
    }
}
