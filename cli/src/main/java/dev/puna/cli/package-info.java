// SPDX-License-Identifier: Apache-2.0
/** The commands of {@code puna}. */
@NullMarked
package dev.puna.cli;

import org.jspecify.annotations.NullMarked;
