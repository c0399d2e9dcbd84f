// SPDX-License-Identifier: Apache-2.0
/** What an artifact that holds a compiled library offers to the bindings. */
@NullMarked
package dev.puna.bindings.spi;

import org.jspecify.annotations.NullMarked;
