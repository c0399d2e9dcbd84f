// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * llama.cpp's own cache: {@code owner_repo_file.gguf} in one folder, with the slashes of the file's own path as
 * underscores.
 */
final class LlamaCache implements ForeignCache {
    private final Path root;

    LlamaCache(Path root) {
        this.root = root;
    }

    @Override
    public String title() {
        return "llama.cpp's cache";
    }

    @Override
    public Optional<Found> find(ModelReference.HubFile reference) throws IOException {
        if (!reference.revision().equals(ModelReference.HubFile.DEFAULT_REVISION)) {
            return Optional.empty();
        }
        String prefix = reference.repository().replace('/', '_') + "_";
        ModelReference.HubFile flat = reference.file() == null
                ? reference
                : new ModelReference.HubFile(
                        reference.repository(),
                        reference.revision(),
                        reference.file().replace('/', '_'));
        List<String> names = ForeignFiles.names(root, 1).stream()
                .filter(n -> n.startsWith(prefix))
                .map(n -> n.substring(prefix.length()))
                .toList();
        String name = ForeignFiles.choose(flat, names);
        return name == null || !Files.isRegularFile(root.resolve(prefix + name))
                ? Optional.empty()
                : Optional.of(new Found(root.resolve(prefix + name), null, -1, title()));
    }

    /** Where owner, repository and file end, the names do not say: what leads to a file here is its path. */
    @Override
    public List<ForeignModel> list() throws IOException {
        List<ForeignModel> all = new ArrayList<>();
        for (String name : ForeignFiles.names(root, 1)) {
            Path file = root.resolve(name);
            all.add(ForeignFiles.model(ModelReference.of(file), file, title()));
        }
        return all;
    }
}
