// SPDX-License-Identifier: Apache-2.0
/** The API in the hands of those who never read its documentation. */
@NullMarked
package dev.puna.misuse;

import org.jspecify.annotations.NullMarked;
