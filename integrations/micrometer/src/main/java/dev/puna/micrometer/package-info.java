// SPDX-License-Identifier: Apache-2.0
/** Puna's meters for Micrometer: {@link dev.puna.micrometer.PunaMetrics} is the beginning. */
@NullMarked
package dev.puna.micrometer;

import org.jspecify.annotations.NullMarked;
