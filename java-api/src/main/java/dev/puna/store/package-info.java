// SPDX-License-Identifier: Apache-2.0
/**
 * Models on disk and where they come from.
 *
 * <pre>{@code
 * ModelStore store = ModelStore.standard();
 * Path file = store.fetch(ModelReference.parse("smollm2"));
 * }</pre>
 *
 * A {@link dev.puna.store.ModelReference} says which model is meant; a {@link dev.puna.store.ModelStore} finds it on
 * this machine or fetches it, verified, once for all processes.
 */
@NullMarked
package dev.puna.store;

import org.jspecify.annotations.NullMarked;
