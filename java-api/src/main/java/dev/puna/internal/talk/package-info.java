// SPDX-License-Identifier: Apache-2.0
/**
 * What a model says, taken apart: reasoning, tool calls, the answer. {@code Dialect} knows a model's marks, {@code
 * Splitter} cuts at them, a {@code ToolFormat} reads one family's calls.
 */
@NullMarked
package dev.puna.internal.talk;

import org.jspecify.annotations.NullMarked;
