// SPDX-License-Identifier: Apache-2.0
/** What the API is made of. Not exported. */
@NullMarked
package dev.puna.internal;

import org.jspecify.annotations.NullMarked;
