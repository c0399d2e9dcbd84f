// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A lock among all threads and processes of one machine, on a file that is never deleted (deleting it would let two
 * processes hold "the same" lock). The system frees it when its process dies. Closed by the thread that took it.
 */
final class StoreLock implements AutoCloseable {
    private static final long POLL_MILLIS = 100;
    private static final ConcurrentHashMap<Path, ReentrantLock> IN_PROCESS = new ConcurrentHashMap<>();

    private final ReentrantLock inner;
    private final FileChannel channel;

    private StoreLock(ReentrantLock inner, FileChannel channel) {
        this.inner = inner;
        this.channel = channel;
    }

    /**
     * Takes the lock, however long others hold it.
     *
     * @param waiting run once when somebody else holds it
     * @throws java.io.InterruptedIOException when interrupted; nothing is held then
     * @throws IOException when the file cannot be made or locked
     */
    static StoreLock take(Path file, Runnable waiting) throws IOException {
        ReentrantLock inner = inner(file);
        boolean told = false;
        if (!inner.tryLock()) {
            waiting.run();
            told = true;
            try {
                inner.lockInterruptibly();
            } catch (InterruptedException e) {
                throw (IOException) Interrupts.raise().initCause(e);
            }
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            while (lock(channel) == null) {
                if (!told) {
                    waiting.run();
                    told = true;
                }
                Interrupts.sleep(POLL_MILLIS);
            }
            return new StoreLock(inner, channel);
        } catch (IOException | RuntimeException e) {
            close(channel, inner);
            throw e;
        }
    }

    /** Takes the lock if nobody holds it within a moment; otherwise null. */
    static @Nullable StoreLock tryTake(Path file) throws IOException {
        ReentrantLock inner = inner(file);
        try {
            if (!inner.tryLock(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                return null;
            }
        } catch (InterruptedException e) {
            throw (IOException) Interrupts.raise().initCause(e);
        }
        FileChannel channel = null;
        boolean taken = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            taken = lock(channel) != null;
            return taken ? new StoreLock(inner, channel) : null;
        } finally {
            if (!taken) {
                close(channel, inner);
            }
        }
    }

    private static ReentrantLock inner(Path file) {
        ReentrantLock inner = IN_PROCESS.computeIfAbsent(file.toAbsolutePath().normalize(), _ -> new ReentrantLock());
        if (inner.isHeldByCurrentThread()) {
            throw new IllegalStateException("a progress listener may not fetch or remove the model that it listens to");
        }
        return inner;
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // another class loader of this process holds it
        }
    }

    private static void close(@Nullable FileChannel channel, ReentrantLock inner) throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            inner.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        close(channel, inner);
    }
}
