// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waiting for what happens soon on other threads. */
public final class Eventually {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private Eventually() {}

    /**
     * Waits until something holds, and fails after 30 seconds.
     *
     * @param what for the message
     * @param condition asked again and again
     */
    public static void holds(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not within " + PATIENCE + ": " + what);
            }
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(2);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }
}
