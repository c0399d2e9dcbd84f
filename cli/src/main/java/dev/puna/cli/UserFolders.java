// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where a user's own files lie. */
final class UserFolders {
    private UserFolders() {}

    /** The file of what was typed in chats, for its owner's eyes alone; null where none can be written. */
    static @Nullable Path history(Streams streams) {
        try {
            Path file = state(streams).resolve("history");
            Files.createDirectories(file.getParent());
            if (!Files.exists(file)) {
                if (FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
                    Files.createFile(
                            file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                } else {
                    Files.createFile(file);
                }
            }
            return Files.isWritable(file) ? file : null;
        } catch (IOException | InvalidPathException e) {
            return null; // a chat without history is a chat all the same
        }
    }

    /** PUNA_HOME, or in the place where the system keeps a user's state. */
    private static Path state(Streams streams) {
        String own = streams.environment("PUNA_HOME");
        if (!own.isBlank()) {
            return Path.of(own);
        }
        Path home = Path.of(System.getProperty("user.home", "."));
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        if (system.startsWith("windows")) {
            String local = streams.environment("LOCALAPPDATA");
            return (local.isBlank() ? home.resolve("AppData").resolve("Local") : Path.of(local)).resolve("puna");
        }
        if (system.startsWith("mac")) {
            return home.resolve("Library").resolve("Application Support").resolve("puna");
        }
        String xdg = streams.environment("XDG_STATE_HOME");
        return (xdg.startsWith("/") ? Path.of(xdg) : home.resolve(".local").resolve("state")).resolve("puna");
    }
}
