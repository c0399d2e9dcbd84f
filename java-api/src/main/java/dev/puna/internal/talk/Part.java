// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import dev.puna.Channel;

/**
 * A part of what was said.
 *
 * @param channel where it belongs
 * @param text never empty
 */
public record Part(Channel channel, String text) {}
