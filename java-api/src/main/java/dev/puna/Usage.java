// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/**
 * What a generation took.
 *
 * @param promptTokens tokens of the prompt
 * @param cachedTokens of those, found in the cache and not computed again
 * @param generatedTokens tokens generated, an ending token counted in
 */
public record Usage(int promptTokens, int cachedTokens, int generatedTokens) {}
