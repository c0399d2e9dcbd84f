// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Another tool's models on this machine: only read, in the layout that the tool documents or is seen to use. One class
 * and a row of {@link ForeignCaches} each. Folders that are not there hold nothing; files that are not what they should
 * be count as absent. Immutable.
 */
interface ForeignCache {
    /**
     * A file.
     *
     * @param path where it lies
     * @param sha256 the checksum that its cache names it by; null: none
     * @param size the size that its cache says it has; negative: it says none
     * @param cache whose it is
     */
    record Found(Path path, @Nullable String sha256, long size, String cache) {}

    /** Whose it is, for people: {@code the cache of the Hugging Face tools}. */
    String title();

    /** The prefix of references to its models, {@code ollama} for {@code ollama:NAME}; empty if it has none. */
    default String tool() {
        return "";
    }

    /** A file of the hub that it brought here. */
    default Optional<Found> find(ModelReference.HubFile reference) throws IOException {
        return Optional.empty();
    }

    /** A model by the tool's own name. */
    default Optional<Found> find(String name) throws IOException {
        return Optional.empty();
    }

    /** A file by its checksum, where the cache knows it, else the files of that size (negative: not known). */
    default List<Found> find(String sha256, long size) throws IOException {
        try (Stream<ForeignModel> models = list().stream()) {
            return models.filter(m -> m.size() == size)
                    .map(m -> new Found(m.path(), null, -1, title()))
                    .toList();
        }
    }

    /** All models that it has. */
    List<ForeignModel> list() throws IOException;
}
