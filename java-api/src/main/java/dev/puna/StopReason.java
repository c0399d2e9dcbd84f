// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** Why a generation ended. More may be added. */
public enum StopReason {
    /** The model ended its answer. */
    END,
    /** The model ended its answer with calls of tools, which wait for their results. */
    TOOL_CALLS,
    /** As many tokens as were asked for. */
    LENGTH,
    /** The context is full. */
    CONTEXT,
    /** A stop string was reached; it is not part of the text. */
    STOP,
    /** It was cancelled. */
    CANCELLED,
    /** Its time was over. */
    TIMEOUT
}
