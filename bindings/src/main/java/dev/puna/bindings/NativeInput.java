// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

/**
 * What an encoder reads: a text, or a pair of texts.
 *
 * @param ids its tokens
 * @param types of each token
 */
@SuppressWarnings("ArrayRecordComponent")
public record NativeInput(int[] ids, int[] types) {}
