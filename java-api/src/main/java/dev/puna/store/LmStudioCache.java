// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.internal.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * LM Studio's models: {@code models/owner/repo/file.gguf} in its home, which {@code ~/.lmstudio-home-pointer} names;
 * else {@code ~/.lmstudio}, formerly {@code ~/.cache/lm-studio}. The setting {@code downloadsFolder} moves the models
 * elsewhere. They are found by the repository's own reference, or as {@code lmstudio:owner/repo/file.gguf}.
 */
final class LmStudioCache extends FolderCache {
    LmStudioCache(Environment environment) {
        super("lmstudio", "LM Studio", folders(environment.home()), 4);
    }

    private static List<Path> folders(Path home) {
        Set<Path> homes = new LinkedHashSet<>();
        path(text(home.resolve(".lmstudio-home-pointer"))).ifPresent(homes::add);
        homes.add(home.resolve(".lmstudio"));
        homes.add(home.resolve(".cache").resolve("lm-studio"));
        Set<Path> all = new LinkedHashSet<>();
        for (Path one : homes) {
            moved(one).ifPresent(all::add);
            all.add(one.resolve("models"));
        }
        return new ArrayList<>(all);
    }

    private static Optional<Path> moved(Path home) {
        try {
            return Json.parse(text(home.resolve("settings.json"))) instanceof Map<?, ?> settings
                            && settings.get("downloadsFolder") instanceof String folder
                    ? path(folder)
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static Optional<Path> path(String text) {
        try {
            Path path = Path.of(text.strip());
            return path.isAbsolute() ? Optional.of(path) : Optional.empty();
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /** Empty for a file that is not there or cannot be read. */
    private static String text(Path file) {
        try {
            return Files.isRegularFile(file) ? ForeignFiles.text(file) : "";
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public Optional<Found> find(ModelReference.HubFile reference) throws IOException {
        if (!reference.revision().equals(ModelReference.HubFile.DEFAULT_REVISION)) {
            return Optional.empty();
        }
        for (Path root : roots()) {
            Path folder = root.resolve(reference.repository());
            String name = ForeignFiles.choose(reference, ForeignFiles.names(folder, 2));
            if (name != null && ForeignFiles.hasMagic(folder.resolve(name))) {
                return Optional.of(new Found(folder.resolve(name), null, -1, title()));
            }
        }
        return Optional.empty();
    }
}
