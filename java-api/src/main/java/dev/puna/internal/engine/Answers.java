// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Waiting for the engine's thread. */
final class Answers {
    private Answers() {}

    /**
     * Waits for an answer. An interrupt tells `cancel` once; the answer is waited for all the same, since the engine's
     * thread may be using what the caller owns. The interrupt flag is set again.
     */
    static <T> T await(CompletableFuture<T> answer, Runnable cancel) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return answer.get();
                } catch (InterruptedException e) {
                    if (!interrupted) {
                        cancel.run();
                    }
                    interrupted = true;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException cause) {
                        throw cause;
                    }
                    throw new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
