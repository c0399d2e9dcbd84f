// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import java.util.Map;

/**
 * A call of a tool, as a model wrote it.
 *
 * @param id empty if it gave none
 * @param name of the tool
 * @param arguments plain JSON values by name
 */
public record Call(String id, String name, Map<String, ?> arguments) {}
