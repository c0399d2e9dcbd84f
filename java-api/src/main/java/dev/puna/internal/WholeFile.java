// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Writes a file so that a reader sees the old one or the whole new one. Any thread. What a process that was killed left
 * beside it goes when the file is written again: who still writes holds a lock on what it writes.
 */
public final class WholeFile {
    /** Of a temporary name behind its prefix: process and serial number. */
    private static final Pattern ENDING = Pattern.compile("[0-9]+\\.[0-9]+\\.part");

    private static final AtomicLong SERIAL = new AtomicLong();

    /** What this process writes just now: opening and closing one of these would end its lock. */
    private static final Set<Path> WRITTEN = ConcurrentHashMap.newKeySet();

    private WholeFile() {}

    /** Writes a file's content. */
    public interface Content {
        /** Writes all of it. */
        void writeTo(WritableByteChannel channel) throws IOException;
    }

    /**
     * Writes bytes as a file.
     *
     * @param target the file; replaced if it is there
     * @param bytes its content
     * @throws IOException if it can't be written; the target is then as it was
     */
    public static void write(Path target, byte[] bytes) throws IOException {
        write(target, channel -> {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
        });
    }

    /**
     * Writes under another name in the same folder, flushes to the disk, then renames.
     *
     * @param target the file; replaced if it is there
     * @param content what is in it
     * @throws IOException if it can't be written; the target is then as it was
     */
    public static void write(Path target, Content content) throws IOException {
        Path whole = target.toAbsolutePath();
        Platform.files("write", () -> {
            removeLeftovers(whole);
            return writeWhole(whole, content);
        });
    }

    private static String prefix(Path whole) {
        return "." + whole.getFileName() + ".";
    }

    private static Path writeWhole(Path whole, Content content) throws IOException {
        while (true) {
            Path part = whole.resolveSibling(
                    prefix(whole) + ProcessHandle.current().pid() + "." + SERIAL.getAndIncrement() + ".part");
            WRITTEN.add(part);
            try (FileChannel channel =
                    FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                if (isOurs(part, channel)) {
                    content.writeTo(channel);
                    channel.force(true);
                    move(part, whole); // while it is locked
                    return whole;
                }
            } catch (FileAlreadyExistsException e) {
                // another process of this number left it, and this file system has no locks: the next name
            } finally {
                Files.deleteIfExists(part);
                WRITTEN.remove(part);
            }
        }
    }

    /** Locks it until the channel is closed; false if another process has just taken it for a leftover. */
    private static boolean isOurs(Path part, FileChannel channel) {
        try {
            return channel.tryLock() != null && Files.exists(part);
        } catch (IOException e) {
            return true; // a file system without locks: nobody takes it for a leftover
        }
    }

    private static void move(Path part, Path whole) throws IOException {
        try {
            Files.move(part, whole, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, whole, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void removeLeftovers(Path whole) {
        String prefix = prefix(whole);
        try (Stream<Path> files = Files.list(Objects.requireNonNull(whole.getParent()))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (name.startsWith(prefix)
                        && ENDING.matcher(name.substring(prefix.length())).matches()
                        && !WRITTEN.contains(file)) {
                    removeUnlessWritten(file);
                }
            }
        } catch (IOException | UncheckedIOException e) {
            // a folder that can't be looked into, or is none: writing says what is wrong, if anything is
        }
    }

    /** Another process that still writes it has locked it. */
    private static void removeUnlessWritten(Path part) {
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                Files.deleteIfExists(part);
            }
        } catch (IOException | OverlappingFileLockException e) {
            // it is in use, or not ours, or this file system has no locks: it stays
        }
    }
}
