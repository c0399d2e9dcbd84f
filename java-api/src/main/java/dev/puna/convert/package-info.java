// SPDX-License-Identifier: Apache-2.0
/**
 * Models of other forms made into GGUF files.
 *
 * <pre>{@code
 * Convert.folder(Path.of("SmolLM2-135M-Instruct"))
 *         .to(Path.of("smollm2.gguf"))
 *         .type(WeightType.Q8_0)
 *         .run();
 * }</pre>
 */
@NullMarked
package dev.puna.convert;

import org.jspecify.annotations.NullMarked;
