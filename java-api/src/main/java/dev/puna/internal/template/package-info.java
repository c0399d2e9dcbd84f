// SPDX-License-Identifier: Apache-2.0
/**
 * Chat templates: an interpreter for the Jinja language as transformers sets it up, in which every string remembers
 * whether the template wrote it.
 *
 * <p>Reading order: {@link dev.puna.internal.template.ChatTemplate}, Lexer, Parser and ExpressionParser, Node,
 * Interpreter, then the values (Value, Str, Values, Operators) and what can be done with them (Filters, Predicates,
 * Methods, Globals).
 */
@NullMarked
package dev.puna.internal.template;

import org.jspecify.annotations.NullMarked;
