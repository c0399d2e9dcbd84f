// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/**
 * What a generation took.
 *
 * @param promptTokens tokens of the prompt
 * @param cachedTokens of those, found in the cache and not computed again
 * @param generatedTokens tokens generated, an ending token counted in
 * @param droppedTokens tokens that a context shift took out of a full context, and that a chat newly left out of its
 *     prompt; 0 unless asked for: {@link Request#contextShift()}
 * @param draftedTokens tokens that were guessed ahead and computed; 0 unless asked for: {@link Speculation}
 * @param acceptedTokens of those, right: they are among the generated ones, and took no step of their own
 */
public record Usage(
        int promptTokens,
        int cachedTokens,
        int generatedTokens,
        int droppedTokens,
        int draftedTokens,
        int acceptedTokens) {
    /**
     * Where nothing was guessed.
     *
     * @param promptTokens tokens of the prompt
     * @param cachedTokens of those, found in the cache
     * @param generatedTokens tokens generated
     * @param droppedTokens tokens that a full context lost
     */
    public Usage(int promptTokens, int cachedTokens, int generatedTokens, int droppedTokens) {
        this(promptTokens, cachedTokens, generatedTokens, droppedTokens, 0, 0);
    }

    /**
     * Where nothing was dropped.
     *
     * @param promptTokens tokens of the prompt
     * @param cachedTokens of those, found in the cache
     * @param generatedTokens tokens generated
     */
    public Usage(int promptTokens, int cachedTokens, int generatedTokens) {
        this(promptTokens, cachedTokens, generatedTokens, 0, 0, 0);
    }
}
