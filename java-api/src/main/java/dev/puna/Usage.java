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
 */
public record Usage(int promptTokens, int cachedTokens, int generatedTokens, int droppedTokens) {
    /**
     * Where nothing was dropped.
     *
     * @param promptTokens tokens of the prompt
     * @param cachedTokens of those, found in the cache
     * @param generatedTokens tokens generated
     */
    public Usage(int promptTokens, int cachedTokens, int generatedTokens) {
        this(promptTokens, cachedTokens, generatedTokens, 0);
    }
}
