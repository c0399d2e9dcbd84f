// SPDX-License-Identifier: Apache-2.0
/** Many callers for a long time: a program that {@code ci/soak/check.sh} runs, and a short run of it as a test. */
@NullMarked
package dev.puna.soak;

import org.jspecify.annotations.NullMarked;
