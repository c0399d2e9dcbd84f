// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** What a piece of text is a part of. More may be added. */
public enum Channel {
    /** The answer. */
    ANSWER,
    /** What the model thinks before it answers. */
    REASONING,
    /** A call of a tool, whole, as the model wrote it; {@link Reply#toolCalls()} has read it. */
    TOOL_CALL
}
