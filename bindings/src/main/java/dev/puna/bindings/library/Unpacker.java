// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes a file of a library that lies inside an artifact, since the system opens only files.
 *
 * <p>The file's folder is named by its content, so that versions never meet and a file, once complete, is never written
 * again. Programs that start at the same time wait for each other by a lock file. A folder of no use (read-only,
 * mounted noexec, full) is noted and the next one is taken; the last is a new private one in the temporary folder.
 */
final class Unpacker {
    private static final long LOCK_LIMIT_NANOS = 30_000_000_000L;

    private final List<Path> folders;
    private final String fileName;

    /**
     * Creates an unpacker.
     *
     * @param folders per-user folders, tried in order before a temporary one
     * @param fileName the library's name
     */
    Unpacker(List<Path> folders, String fileName) {
        this.folders = List.copyOf(folders);
        this.fileName = fileName;
    }

    /** The user's folder for files that can be made again. */
    static List<Path> folders(Platform platform) {
        List<Path> folders = new ArrayList<>();
        String home = System.getProperty("user.home", "");
        switch (platform.os()) {
            case "windows" -> add(folders, System.getenv("LOCALAPPDATA"), "puna", "natives");
            case "macos" -> add(folders, home, "Library", "Caches", "puna", "natives");
            default -> {
                add(folders, System.getenv("XDG_CACHE_HOME"), "puna", "natives");
                add(folders, home, ".cache", "puna", "natives");
            }
        }
        return folders;
    }

    private static void add(List<Path> folders, @Nullable String base, String... more) {
        if (base != null && !base.isBlank() && Path.of(base).isAbsolute()) {
            folders.add(Path.of(base, more));
        }
    }

    /**
     * Unpacks a library and opens it.
     *
     * @param library where its bytes are
     * @param open opens a file, or notes why it can't and returns null
     * @param note hears what was of no use
     * @return what {@code open} gave, or null if no place would do
     */
    <T> @Nullable T unpack(URL library, BiFunction<Path, Consumer<String>, @Nullable T> open, Consumer<String> note) {
        byte[] content;
        try (InputStream stream = library.openStream()) {
            content = stream.readAllBytes();
        } catch (IOException e) {
            note.accept(library + ": " + reason(e));
            return null;
        }
        String key = key(content);
        for (Path folder : folders) {
            try {
                T opened = open.apply(place(folder.resolve(key), content), note);
                if (opened != null) {
                    return opened;
                }
            } catch (IOException e) {
                note.accept("unpacking to " + folder + ": " + reason(e));
            }
        }
        return temporary(content, open, note);
    }

    private <T> @Nullable T temporary(
            byte[] content, BiFunction<Path, Consumer<String>, @Nullable T> open, Consumer<String> note) {
        try {
            Path folder = Files.createTempDirectory("puna-natives-"); // readable by this user alone
            Path file = folder.resolve(fileName);
            try {
                Files.write(file, content);
                return open.apply(file, note);
            } finally {
                discard(file);
                discard(folder);
            }
        } catch (IOException e) {
            note.accept("unpacking to " + System.getProperty("java.io.tmpdir") + ": " + reason(e));
            return null;
        }
    }

    /** An open library outlives its name, except on Windows, where it goes when the program ends. */
    private static void discard(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            path.toFile().deleteOnExit();
        }
    }

    /** The complete file in a folder, written unless it is there. */
    private Path place(Path folder, byte[] content) throws IOException {
        Path file = folder.resolve(fileName);
        if (holds(file, content)) {
            return file;
        }
        Files.createDirectories(folder, privately(folder));
        try (FileChannel lockFile =
                        FileChannel.open(folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(lockFile, folder)) {
            if (lock.isValid() && !holds(file, content)) {
                Path partial =
                        folder.resolve("partial-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
                try {
                    try (FileChannel out =
                            FileChannel.open(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                        ByteBuffer bytes = ByteBuffer.wrap(content);
                        while (bytes.hasRemaining()) {
                            out.write(bytes);
                        }
                        out.force(true);
                    }
                    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                } finally {
                    Files.deleteIfExists(partial);
                }
            }
        }
        return file;
    }

    private static boolean holds(Path file, byte[] content) throws IOException {
        return Files.isRegularFile(file)
                && Files.size(file) == content.length
                && Arrays.equals(Files.readAllBytes(file), content);
    }

    /** Waits for other processes, and for other class loaders of this one, which the system's lock does not know. */
    private static FileLock lock(FileChannel channel, Path folder) throws IOException {
        long start = System.nanoTime();
        while (System.nanoTime() - start < LOCK_LIMIT_NANOS) {
            try {
                FileLock lock = channel.tryLock();
                if (lock != null) {
                    return lock;
                }
            } catch (OverlappingFileLockException e) {
                // held in this JVM: wait as for any other holder
            }
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while another program unpacks to " + folder, e);
            }
        }
        throw new IOException("another program holds the lock in " + folder + " for 30 seconds");
    }

    private static FileAttribute<?>[] privately(Path folder) {
        if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
                || !folder.getFileSystem().equals(FileSystems.getDefault())) {
            return new FileAttribute<?>[0];
        }
        return new FileAttribute<?>[] {
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
        };
    }

    private static String key(byte[] content) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
}
