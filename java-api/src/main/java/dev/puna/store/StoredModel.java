// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** One model of a store, as {@link ModelStore#list()} gives it. Immutable. */
public final class StoredModel {
    private final ModelReference reference;
    private final Path path;
    private final long size;
    private final String sha256;
    private final String source;
    private final Instant fetchedAt;
    private final boolean owned;

    StoredModel(
            ModelReference reference,
            Path path,
            long size,
            String sha256,
            String source,
            Instant fetchedAt,
            boolean owned) {
        this.reference = reference;
        this.path = path;
        this.size = size;
        this.sha256 = sha256;
        this.source = source;
        this.fetchedAt = fetchedAt;
        this.owned = owned;
    }

    /**
     * What to ask the store for.
     *
     * @return the reference that it was fetched by
     */
    public ModelReference reference() {
        return reference;
    }

    /**
     * The short name: the catalogue's, or the reference as text.
     *
     * @return the name
     */
    public String name() {
        return reference.toString();
    }

    /**
     * Where it lies; of a split file the first part, beside which all others lie.
     *
     * @return an absolute path
     */
    public Path path() {
        return path;
    }

    /**
     * Its files.
     *
     * @return {@link #path()}, or all parts of a split file in their order
     */
    public List<Path> files() {
        return SplitName.files(path);
    }

    /**
     * Its length; of a split file that of all parts.
     *
     * @return bytes
     */
    public long size() {
        return size;
    }

    /**
     * Its checksum, as computed when it came; of a split file the SHA-256 of the parts' checksums as text, one after
     * the other.
     *
     * @return 64 lower-case hex digits
     */
    public String sha256() {
        return sha256;
    }

    /**
     * Where it came from.
     *
     * @return a source reference, or the name of the cache that holds it
     */
    public String source() {
        return source;
    }

    /**
     * When it came.
     *
     * @return the instant
     */
    public Instant fetchedAt() {
        return fetchedAt;
    }

    /**
     * Whether the file is the store's own; one of another tool's cache is only used, never removed.
     *
     * @return whether removing the model removes the file
     */
    public boolean owned() {
        return owned;
    }

    @Override
    public String toString() {
        return reference + " (" + Sizes.text(size) + ", " + path + ")";
    }
}
