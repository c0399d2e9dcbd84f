// SPDX-License-Identifier: Apache-2.0
/**
 * Java types as JSON: a type's schema, JSON read into values of the type, values written as JSON. {@code Mapping} is
 * the way in; {@code Shapes} looks at a type once, and what it found, a {@code Shape}, serves all three.
 */
@NullMarked
package dev.puna.internal.mapping;

import org.jspecify.annotations.NullMarked;
