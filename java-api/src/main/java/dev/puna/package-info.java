// SPDX-License-Identifier: Apache-2.0
/**
 * Large language models inside a JVM.
 *
 * <pre>{@code
 * try (Model model = Model.load("smollm2")) {
 *     System.out.println(model.prompt("Once upon a time").maxTokens(64).text());
 * }
 * }</pre>
 *
 * Long-lived objects are immutable, thread-safe and {@link java.lang.AutoCloseable}; values are values; failures are
 * unchecked exceptions with a sentence to act on.
 */
@NullMarked
package dev.puna;

import org.jspecify.annotations.NullMarked;
