// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.nio.file.Path;

/**
 * A model that another tool brought to this machine, as {@link ModelStore#foreign()} gives it: it can be used where it
 * lies. Immutable.
 */
public final class ForeignModel {
    private final ModelReference reference;
    private final Path path;
    private final long size;
    private final String cache;

    ForeignModel(ModelReference reference, Path path, long size, String cache) {
        this.reference = reference;
        this.path = path;
        this.size = size;
        this.cache = cache;
    }

    /**
     * What to ask the store for.
     *
     * @return the reference that leads to this file
     */
    public ModelReference reference() {
        return reference;
    }

    /**
     * Where it lies.
     *
     * @return an absolute path
     */
    public Path path() {
        return path;
    }

    /**
     * Its length.
     *
     * @return bytes
     */
    public long size() {
        return size;
    }

    /**
     * Whose it is.
     *
     * @return a name for people, for example {@code Ollama}
     */
    public String cache() {
        return cache;
    }

    @Override
    public String toString() {
        return reference + " (" + Sizes.text(size) + ", " + cache + ")";
    }
}
