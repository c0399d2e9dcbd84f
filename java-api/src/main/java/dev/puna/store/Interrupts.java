// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import org.jspecify.annotations.Nullable;

/**
 * Interrupting the caller cancels a fetch. Inside, an interrupt travels as an InterruptedIOException with the thread's
 * flag set, so that it is never taken for a failure that another attempt may cure.
 */
final class Interrupts {
    private Interrupts() {}

    static void check() throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            throw raise();
        }
    }

    static InterruptedIOException raise() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted");
    }

    static boolean caused(@Nullable Throwable failure) {
        return Thread.currentThread().isInterrupted()
                || failure instanceof InterruptedIOException
                || failure instanceof ClosedByInterruptException;
    }

    /** Sleeps; an interrupt ends it. */
    static void sleep(long millis) throws InterruptedIOException {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw (InterruptedIOException) raise().initCause(e);
        }
    }

    static DownloadException sentence(ModelReference reference) {
        Thread.currentThread().interrupt();
        return new DownloadException(
                "fetching " + reference + " was interrupted; the next fetch continues it",
                new InterruptedException("interrupted while fetching " + reference));
    }
}
