// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.bindings.NativeEvent;
import java.util.List;

/**
 * How a generation ended, and all that it gave.
 *
 * @param stop why
 * @param timedOut whether a cancellation came from its deadline
 * @param text all of it
 * @param marks control tokens that were asked for, in order
 * @param tokens all ids
 * @param events a token's event for each id, if log-probabilities were asked for
 * @param promptTokens of the prompt
 * @param cachedTokens of those, from the cache
 * @param queuedNanos waited
 * @param promptNanos to the first token
 * @param generateNanos to the last
 * @param droppedTokens that a full context lost
 * @param draftedTokens guessed ahead and computed
 * @param acceptedTokens of those, right
 */
@SuppressWarnings("ArrayRecordComponent")
public record Outcome(
        NativeEvent.Stop stop,
        boolean timedOut,
        String text,
        List<Mark> marks,
        int[] tokens,
        List<NativeEvent.Token> events,
        int promptTokens,
        int cachedTokens,
        long queuedNanos,
        long promptNanos,
        long generateNanos,
        int droppedTokens,
        int draftedTokens,
        int acceptedTokens) {
    /**
     * A control token.
     *
     * @param at how much text stands in front of it
     * @param spelling of it
     */
    public record Mark(int at, String spelling) {}
}
