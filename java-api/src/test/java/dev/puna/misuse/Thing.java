// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Something of the API that many threads use and close as they like, with what it lives on. What is about to be closed
 * is marked before: a use that is refused although nothing of it was ever marked is a mistake.
 *
 * @param <T> its type
 */
final class Thing<T> {
    final T value;
    final @Nullable Thing<?> on;
    private final Consumer<? super T> closer;
    private final AtomicBoolean claimed = new AtomicBoolean();
    private volatile boolean mayBeClosed;

    Thing(T value, @Nullable Thing<?> on, Consumer<? super T> closer) {
        this.value = value;
        this.on = on;
        this.closer = closer;
    }

    void mark() {
        mayBeClosed = true;
    }

    void close() {
        mark();
        closer.accept(value);
    }

    /** For what one thread at a time may use: whether the caller is the one. */
    boolean claim() {
        return claimed.compareAndSet(false, true);
    }

    void release() {
        claimed.set(false);
    }

    /** Whether it, or what it lives on, may have been closed. */
    boolean mayBeClosed() {
        for (Thing<?> thing = this; thing != null; thing = thing.on) {
            if (thing.mayBeClosed) {
                return true;
            }
        }
        return false;
    }
}
