// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/**
 * A document and how much it has to do with a query.
 *
 * @param index its place among those that were given
 * @param document its text
 * @param score the model's number: the higher, the more; not a probability
 */
public record Ranked(int index, String document, float score) {}
