// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.util.function.BiConsumer;

/** Where forgotten native objects are reported. Any thread. */
public final class NativeLeaks {
    private static volatile BiConsumer<String, Throwable> reporter = NativeLeaks::log;

    private NativeLeaks() {}

    /**
     * Replaces the report, which is a warning in the platform's own log at first.
     *
     * @param report gets what was forgotten and, as a stack trace, where it was opened; runs on a thread of its own
     *     kind and must not block
     */
    public static void reportTo(BiConsumer<String, Throwable> report) {
        reporter = report;
    }

    static void report(String what, Throwable opened) {
        reporter.accept(what, opened);
    }

    private static void log(String what, Throwable opened) {
        System.getLogger("dev.puna.bindings")
                .log(System.Logger.Level.WARNING, "a " + what + " was never closed; it was opened here:", opened);
    }
}
