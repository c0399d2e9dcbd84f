// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tools that keep GGUF files as they are in a tree of folders: GPT4All (all in one), Jan ({@code MODEL/model.gguf},
 * named by its folder). A reference is the tool's prefix and the file's path below the tree, or the path of the folder
 * where it is called {@code model.gguf}.
 */
class FolderCache implements ForeignCache {
    private final String tool;
    private final String title;
    private final List<Path> roots;
    private final int depth;

    FolderCache(String tool, String title, List<Path> roots, int depth) {
        this.tool = tool;
        this.title = title;
        this.roots = List.copyOf(roots);
        this.depth = depth;
    }

    List<Path> roots() {
        return roots;
    }

    @Override
    public String title() {
        return title;
    }

    @Override
    public String tool() {
        return tool;
    }

    /** The names of a tree's files: of one that is {@code model.gguf} in its folder, the folder's. */
    private Map<String, Path> named(Path root) throws IOException {
        Map<String, Path> all = new LinkedHashMap<>();
        for (String name : ForeignFiles.names(root, depth)) {
            String generic = "/model.gguf";
            String shown = name.endsWith(generic) ? name.substring(0, name.length() - generic.length()) : name;
            all.putIfAbsent(shown, root.resolve(name));
        }
        return all;
    }

    @Override
    public Optional<Found> find(String name) throws IOException {
        for (Path root : roots) {
            Path file = named(root).get(name);
            if (file != null && ForeignFiles.hasMagic(file)) {
                return Optional.of(new Found(file, null, -1, title));
            }
        }
        return Optional.empty();
    }

    @Override
    public List<ForeignModel> list() throws IOException {
        List<ForeignModel> all = new ArrayList<>();
        for (Path root : roots) {
            for (Map.Entry<String, Path> one : named(root).entrySet()) {
                if (ForeignFiles.hasMagic(one.getValue()) && Files.isRegularFile(one.getValue())) {
                    add(all, one.getKey(), one.getValue());
                }
            }
        }
        return all;
    }

    private void add(List<ForeignModel> all, String name, Path file) throws IOException {
        try {
            all.add(ForeignFiles.model(new ModelReference.Cached(tool, name), file, title));
        } catch (IllegalArgumentException e) {
            return; // a name that no reference can spell
        }
    }
}
