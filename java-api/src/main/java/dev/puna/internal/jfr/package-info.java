// SPDX-License-Identifier: Apache-2.0
/** JDK Flight Recorder events. Not exported; their names are documented in docs/architecture.md. */
@NullMarked
package dev.puna.internal.jfr;

import org.jspecify.annotations.NullMarked;
