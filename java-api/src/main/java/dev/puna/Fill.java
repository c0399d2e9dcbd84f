// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/**
 * What may stand for a mask.
 *
 * @param token its id
 * @param word its text, without a space in front
 * @param probability that the model gives it
 */
public record Fill(int token, String word, float probability) {}
