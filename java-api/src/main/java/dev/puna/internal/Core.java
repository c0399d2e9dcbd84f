// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.bindings.NativeLeaks;
import dev.puna.bindings.NativeLibrary;
import dev.puna.bindings.NativeLogEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The core's library: loaded once, its log carried over to slf4j. Any thread. */
public final class Core {
    private static final Logger LOG = LoggerFactory.getLogger("dev.puna.core");

    private static volatile boolean loaded;

    private Core() {}

    /** Loads once; what forgotten objects say goes to the same log as everything else. */
    private static final class Loaded {
        static {
            NativeLeaks.reportTo(
                    (what, opened) -> LOG.warn("a {} was never closed; it was opened here:", what, opened));
            NativeLibrary.load();
            LOG.debug("library {} from {}", NativeLibrary.version(), NativeLibrary.origin());
        }

        private Loaded() {}

        static void touch() {}
    }

    /**
     * Makes sure that the library is there.
     *
     * @throws dev.puna.NativeLibraryException if none can be used; the message says what was tried
     */
    public static void load() {
        if (!loaded) {
            Platform.call("library", Core::loadHere, () -> {});
        }
    }

    private static boolean loadHere() {
        try {
            Loaded.touch();
            loaded = true;
        } catch (ExceptionInInitializerError e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw Failures.of(cause);
            }
            throw e;
        } catch (NoClassDefFoundError e) { // every time after the first failure
            Failures.run(NativeLibrary::load);
        }
        return loaded;
    }

    /** Hands the core's log lines to slf4j. */
    public static void drainLog() {
        for (NativeLogEntry entry = NativeLibrary.nextLogEntry(); entry != null; entry = NativeLibrary.nextLogEntry()) {
            if (entry.dropped() > 0) {
                LOG.warn("{} log lines were lost", entry.dropped());
            }
            switch (entry.level()) {
                case DEBUG -> LOG.debug(entry.message());
                case INFO -> LOG.info(entry.message());
                case WARNING -> LOG.warn(entry.message());
                case ERROR -> LOG.error(entry.message());
            }
        }
    }
}
