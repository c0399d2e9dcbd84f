// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Long native calls on platform threads: a virtual thread that waits in native code would hold its carrier, and with
 * few carriers nobody else would run.
 */
public final class Platform {
    /** What takes less than this many bytes of text is over in about 100 microseconds. */
    private static final int SHORT_TEXT = 1024;

    private static final AtomicLong NUMBER = new AtomicLong();

    private Platform() {}

    /**
     * Starts a daemon thread.
     *
     * @param name of the thread, a number follows
     * @param work what it does
     * @return the started thread
     */
    public static Thread start(String name, Runnable work) {
        return Thread.ofPlatform()
                .daemon()
                .name("puna-" + name + "-" + NUMBER.incrementAndGet())
                .start(work);
    }

    /**
     * Runs a call on a platform thread and waits for it. When the caller is interrupted meanwhile, {@code cancel} is
     * told once, the call is waited for all the same, and the interrupt flag is set again.
     *
     * @param name of the thread
     * @param call what to do
     * @param cancel makes the call end soon
     * @return what the call gave
     */
    public static <T> T call(String name, Supplier<T> call, Runnable cancel) {
        FutureTask<T> task = new FutureTask<>(call::get);
        start(name, task);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    if (!interrupted) {
                        cancel.run();
                    }
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw rethrow(e.getCause() == null ? e : e.getCause());
                } catch (CancellationException e) {
                    throw new IllegalStateException(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Work with files.
     *
     * @param <T> what it gives
     */
    public interface Filing<T> {
        /** Does it. */
        T run() throws IOException;
    }

    /**
     * Reads or writes on a platform thread: neither is a carrier held, nor does an interrupt of the caller, which
     * waits, close a channel in the middle of it.
     *
     * @param name of the thread
     * @param work what to do
     * @param <T> what it gives
     * @return what the work gave
     * @throws IOException as the work did
     */
    public static <T> T files(String name, Filing<T> work) throws IOException {
        try {
            return call(
                    name,
                    () -> {
                        try {
                            return work.run();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    },
                    () -> {});
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /**
     * Runs a call whose time grows with a text: at once where that is short, or where the thread is a platform thread.
     *
     * @param length of the text
     * @param call what to do
     * @return what the call gave
     */
    public static <T> T forText(long length, Supplier<T> call) {
        if (length < SHORT_TEXT || !Thread.currentThread().isVirtual()) {
            return call.get();
        }
        return call("text", call, () -> {});
    }

    private static RuntimeException rethrow(Throwable cause) {
        if (cause instanceof RuntimeException e) {
            return e;
        }
        if (cause instanceof Error e) {
            throw e;
        }
        return new IllegalStateException(cause);
    }
}
