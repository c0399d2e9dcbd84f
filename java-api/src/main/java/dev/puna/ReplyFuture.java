// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.concurrent.CompletableFuture;

/** A future whose cancellation reaches the engine; keeps the stream, and so the model, reachable. */
final class ReplyFuture extends CompletableFuture<Reply> {
    private final TextStream stream;

    ReplyFuture(TextStream stream) {
        this.stream = stream;
        stream.whenDone(() -> {
            try {
                complete(stream.reply());
            } catch (RuntimeException e) {
                completeExceptionally(e);
            }
        });
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        stream.cancel();
        return cancelled;
    }
}
