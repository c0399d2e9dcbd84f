// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

/**
 * A stretch of rendered text with one origin.
 *
 * @param text the text, never empty
 * @param trusted true when the template (or a special token of the model) wrote it, false when it came in by a
 *     message, a tool or any other variable
 */
public record Segment(String text, boolean trusted) {}
