// SPDX-License-Identifier: Apache-2.0
/** The thread that drives an engine, and what passes between it and those who wait. Not exported. */
@NullMarked
package dev.puna.internal.engine;

import org.jspecify.annotations.NullMarked;
