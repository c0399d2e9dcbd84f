// SPDX-License-Identifier: Apache-2.0
/** Short programs on the Java API. */
@NullMarked
package dev.puna.examples;

import org.jspecify.annotations.NullMarked;
