// SPDX-License-Identifier: Apache-2.0
/** Owners of native objects with plain Java types, the library's loader and its errors. */
@NullMarked
package dev.puna.bindings;

import org.jspecify.annotations.NullMarked;
