// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Files of the hub that other tools have already brought to this machine: the cache of the Hugging Face tools, and
 * llama.cpp's. Only read. Immutable.
 */
final class ForeignCaches {
    /** A file, the checksum that its cache names it by (null: none), and the cache. */
    record Found(Path path, @Nullable String sha256, String cache) {}

    private static final int MAX_DEPTH = 4;

    private final Environment environment;

    ForeignCaches(Environment environment) {
        this.environment = environment;
    }

    Optional<Found> find(ModelReference.HubFile reference) {
        try {
            Optional<Found> found = hub(reference);
            return found.isPresent() ? found : llama(reference);
        } catch (IOException e) {
            return Optional.empty(); // somebody else's folder: as if it were not there
        }
    }

    /** {@code models--owner--repo/snapshots/COMMIT/file}; refs/REVISION holds the commit. */
    private Optional<Found> hub(ModelReference.HubFile reference) throws IOException {
        Path root = environment
                .hubCache()
                .resolve("models--" + reference.repository().replace("/", "--"));
        String commit = reference.revision();
        if (!Hashes.isCommit(commit)) {
            Path ref = root.resolve("refs").resolve(commit);
            if (!Files.isRegularFile(ref) || Files.size(ref) > 200) {
                return Optional.empty();
            }
            commit = Files.readString(ref).strip();
        }
        Path snapshot = root.resolve("snapshots").resolve(commit);
        if (!Hashes.isCommit(commit) || !Files.isDirectory(snapshot)) {
            return Optional.empty();
        }
        String name = choose(reference, names(snapshot));
        if (name == null || !Files.isRegularFile(snapshot.resolve(name))) {
            return Optional.empty();
        }
        Path path = snapshot.resolve(name);
        String blob = path.toRealPath().getFileName().toString();
        return Optional.of(new Found(path, Hashes.isSha256(blob) ? blob : null, "the cache of the Hugging Face tools"));
    }

    /** {@code owner_repo_file}, with the slashes of the file's own path as underscores. */
    private Optional<Found> llama(ModelReference.HubFile reference) throws IOException {
        Path root = environment.llamaCache();
        if (!Files.isDirectory(root) || !reference.revision().equals(ModelReference.HubFile.DEFAULT_REVISION)) {
            return Optional.empty();
        }
        String prefix = reference.repository().replace('/', '_') + "_";
        ModelReference.HubFile flat = reference.file() == null
                ? reference
                : new ModelReference.HubFile(
                        reference.repository(),
                        reference.revision(),
                        reference.file().replace('/', '_'));
        List<String> names;
        try (Stream<Path> files = Files.list(root)) {
            names = files.map(f -> f.getFileName().toString())
                    .filter(n -> n.startsWith(prefix) && ReferenceParser.isGguf(n))
                    .map(n -> n.substring(prefix.length()))
                    .toList();
        }
        String name = choose(flat, names);
        return name == null || !Files.isRegularFile(root.resolve(prefix + name))
                ? Optional.empty()
                : Optional.of(new Found(root.resolve(prefix + name), null, "llama.cpp's cache"));
    }

    /** A cache holds a part of a repository: only a name, a quantization, or the only file there decides. */
    private static @Nullable String choose(ModelReference.HubFile reference, List<String> names) {
        if (reference.file() != null) {
            return names.contains(reference.file()) ? reference.file() : null;
        }
        if (reference.selector() == null && names.size() != 1) {
            return null;
        }
        try {
            return new HubListing(null, names).choose(reference);
        } catch (ModelNotFoundException e) {
            return null;
        }
    }

    private static List<String> names(Path snapshot) throws IOException {
        try (Stream<Path> files = Files.walk(snapshot, MAX_DEPTH)) {
            return files.filter(f -> ReferenceParser.isGguf(f.toString()) && Files.isRegularFile(f))
                    .map(f -> snapshot.relativize(f).toString().replace('\\', '/'))
                    .toList();
        }
    }
}
