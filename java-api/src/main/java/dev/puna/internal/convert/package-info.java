// SPDX-License-Identifier: Apache-2.0
/** Folders of Hugging Face's form, read and written as GGUF; {@code dev.puna.convert} is the way in. */
@NullMarked
package dev.puna.internal.convert;

import org.jspecify.annotations.NullMarked;
