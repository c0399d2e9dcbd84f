// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import java.util.List;

/**
 * How a family of models writes calls of tools. Formats are stateless; any thread.
 *
 * <p>What stands between the marks is collected and read whole. What can't be read is an IllegalArgumentException, and
 * the text stays part of the answer: it is never lost.
 */
interface ToolFormat {
    /** {@return what begins calls; empty if a call is the whole answer and begins with a brace} */
    String open();

    /** {@return what ends them; empty if only the answer's end does} */
    String close();

    /** {@return marks that may stand inside, and are control tokens in some vocabularies} */
    default List<String> inner() {
        return List.of();
    }

    /**
     * Reads calls.
     *
     * @param body the text between the marks
     * @param tools that were offered
     * @return at least one
     * @throws IllegalArgumentException if it is none
     */
    List<Call> parse(String body, Tools tools);
}
