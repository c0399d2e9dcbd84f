// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** What is known of a model before it is fetched, as {@link ModelStore#describe} gives it. Immutable. */
public final class ModelDescription {
    private final ModelReference reference;
    private final Optional<Path> path;
    private final OptionalLong size;
    private final String about;
    private final String source;
    private final Path folder;
    private final long freeBytes;
    private final long receivedBytes;

    ModelDescription(
            ModelReference reference,
            Optional<Path> path,
            OptionalLong size,
            String about,
            String source,
            Path folder,
            long freeBytes,
            long receivedBytes) {
        this.reference = reference;
        this.path = path;
        this.size = size;
        this.about = about;
        this.source = source;
        this.folder = folder;
        this.freeBytes = freeBytes;
        this.receivedBytes = receivedBytes;
    }

    /**
     * What was asked for.
     *
     * @return the reference
     */
    public ModelReference reference() {
        return reference;
    }

    /**
     * The file, when it is on this machine.
     *
     * @return its path, or empty when it has to be fetched
     */
    public Optional<Path> path() {
        return path;
    }

    /**
     * Whether nothing has to be fetched.
     *
     * @return whether {@link #path()} is there
     */
    public boolean present() {
        return path.isPresent();
    }

    /**
     * The file's length.
     *
     * @return bytes, or empty when only the fetch will tell
     */
    public OptionalLong size() {
        return size;
    }

    /**
     * What the catalogue says of it.
     *
     * @return one line, empty for what is not in the catalogue
     */
    public String about() {
        return about;
    }

    /**
     * Where it comes from: the source that is tried first.
     *
     * @return a source reference, or the path for a local file
     */
    public String source() {
        return source;
    }

    /**
     * The folder it would be kept in.
     *
     * @return the store's folder
     */
    public Path folder() {
        return folder;
    }

    /**
     * Room on the store's disk.
     *
     * @return bytes
     */
    public long freeBytes() {
        return freeBytes;
    }

    /**
     * What an earlier, interrupted fetch left, which the next one continues.
     *
     * @return bytes
     */
    public long receivedBytes() {
        return receivedBytes;
    }

    @Override
    public String toString() {
        return reference + " from " + source
                + (size.isPresent() ? ", " + Sizes.text(size.getAsLong()) : "")
                + (present() ? ", present" : ", not fetched yet");
    }
}
