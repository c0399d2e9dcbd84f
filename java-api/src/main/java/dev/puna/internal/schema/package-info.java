// SPDX-License-Identifier: Apache-2.0
/**
 * What an answer must be, as a grammar's text for the core: JSON schemas and regular expressions are compiled here, the
 * core knows grammars alone.
 */
@NullMarked
package dev.puna.internal.schema;

import org.jspecify.annotations.NullMarked;
