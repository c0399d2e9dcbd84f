// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the caches of other tools have in common: looking for GGUF files without trusting anything. */
final class ForeignFiles {
    private static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);
    private static final int MOST = 10_000; // of somebody else's files, however many there are

    private ForeignFiles() {}

    /** Names of the GGUF files below a folder, with slashes; none if the folder is not there. */
    static List<String> names(Path folder, int depth) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<String> found = new ArrayList<>();
        Files.walkFileTree(folder, EnumSet.noneOf(FileVisitOption.class), depth, new SimpleFileVisitor<>() {
            private int seen;

            private FileVisitResult next() {
                return ++seen < MOST ? FileVisitResult.CONTINUE : FileVisitResult.TERMINATE;
            }

            @Override
            public FileVisitResult preVisitDirectory(Path place, BasicFileAttributes attributes) {
                return next();
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (ReferenceParser.isGguf(file.toString()) && Files.isRegularFile(file)) {
                    found.add(folder.relativize(file).toString().replace('\\', '/'));
                }
                return next();
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE; // its tool moved it meanwhile, or it isn't for us
            }

            @Override
            public FileVisitResult postVisitDirectory(Path place, @Nullable IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
        found.sort(null);
        return List.copyOf(found);
    }

    /** Names of what is in a folder, sorted; none if it is not there. */
    static List<String> entries(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.limit(MOST)
                    .map(f -> f.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    /** A cache holds a part of a repository: only a name, a quantization, or the only file there decides. */
    static @Nullable String choose(ModelReference.HubFile reference, List<String> names) {
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

    /** Whether a file, whatever its name, begins as GGUF does. */
    static boolean hasMagic(Path file) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(MAGIC.length), MAGIC);
        } catch (IOException e) {
            return false;
        }
    }

    /** A text of at most a megabyte: manifests and settings. */
    static String text(Path file) throws IOException {
        if (Files.size(file) > 1 << 20) {
            throw new IOException(file + " is too long for what it should be");
        }
        return Files.readString(file);
    }

    static ForeignModel model(ModelReference reference, Path file, String cache) throws IOException {
        return new ForeignModel(reference, file.toAbsolutePath(), Files.size(file), cache);
    }
}
