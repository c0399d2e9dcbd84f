// SPDX-License-Identifier: Apache-2.0
/** JSON as plain values: what the hub answers, what tools are asked and say, what values look like to a model. */
@NullMarked
package dev.puna.internal.json;

import org.jspecify.annotations.NullMarked;
