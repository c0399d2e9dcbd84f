// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

/** What a step of an engine brought about in one sequence. */
public sealed interface NativeEvent {
    /** Whose event it is. */
    long sequence();

    /** The text that became final: whole characters, none that may begin a stop string; often empty. */
    String text();

    /**
     * A token was generated.
     *
     * @param sequence whose
     * @param token its id
     * @param text that became final
     * @param logprob of the token by the model's own distribution; 0 unless asked for
     * @param topIds the best ids, best first; empty unless asked for
     * @param topLogprobs theirs
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Token(long sequence, int token, String text, float logprob, int[] topIds, float[] topLogprobs)
            implements NativeEvent {}

    /**
     * A row of logits waits for {@link NativeEngine#choose}.
     *
     * @param sequence whose
     * @param values a copy, one for each token of the vocabulary; empty where the sequence ended meanwhile
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Logits(long sequence, float[] values) implements NativeEvent {
        @Override
        public String text() {
            return "";
        }
    }

    /**
     * A generation ended.
     *
     * @param sequence whose
     * @param stop why
     * @param stopIndex which of the stops, or -1
     * @param text that became final with the end
     * @param status of a failure; else {@link NativeStatus#OK}
     * @param message of a failure; else empty
     * @param promptTokens of the prompt
     * @param cachedTokens of those, taken from the cache
     * @param generatedTokens made
     * @param queuedNanos waited for a place in the batch
     * @param promptNanos from then to the first token
     * @param generateNanos from the first token to the last
     * @param droppedTokens that a full context lost
     * @param draftedTokens guessed ahead and computed
     * @param acceptedTokens of those, right
     */
    record Finished(
            long sequence,
            Stop stop,
            int stopIndex,
            String text,
            NativeStatus status,
            String message,
            int promptTokens,
            int cachedTokens,
            int generatedTokens,
            long queuedNanos,
            long promptNanos,
            long generateNanos,
            int droppedTokens,
            int draftedTokens,
            int acceptedTokens)
            implements NativeEvent {}

    /** Why a generation ended. */
    enum Stop {
        /** The model ended its answer. */
        END,
        /** As many tokens as were asked for. */
        LENGTH,
        /** The context is full. */
        CONTEXT,
        /** A stop string. */
        TEXT,
        /** It was cancelled. */
        CANCELLED,
        /** It failed; status and message say why. */
        FAILED
    }
}
