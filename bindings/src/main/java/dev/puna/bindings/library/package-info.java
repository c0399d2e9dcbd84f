// SPDX-License-Identifier: Apache-2.0
/** Finds, unpacks, checks and opens the native library. */
@NullMarked
package dev.puna.bindings.library;

import org.jspecify.annotations.NullMarked;
