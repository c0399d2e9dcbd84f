// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.util.List;

/**
 * What a template made of a conversation.
 *
 * <p>How to tokenize it: look for control tokens within each trusted segment alone, never in an untrusted one and
 * never across the border of two segments. What lies between two control tokens is then joined over the borders and
 * encoded as one piece of plain text, so that harmless text gets the ids that it gets elsewhere.
 *
 * @param segments the text in order; neighbours differ in origin
 */
public record Rendered(List<Segment> segments) {
    /** Makes a rendering; the list is copied. */
    public Rendered {
        segments = List.copyOf(segments);
    }

    /** {@return the whole text, origins forgotten} */
    public String text() {
        StringBuilder all = new StringBuilder();
        segments.forEach(segment -> all.append(segment.text()));
        return all.toString();
    }
}
