// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.util.Locale;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** The log on standard error: warnings in one line each; everything of Puna's own with --verbose. */
final class Logging {
    /** Held strongly: the log manager would forget its level otherwise. */
    private static final Logger PUNA = Logger.getLogger("dev.puna");

    private Logging() {}

    static void configure(boolean verbose, Streams streams) {
        Logger root = Logger.getLogger("");
        for (Handler handler : root.getHandlers()) {
            root.removeHandler(handler);
        }
        root.addHandler(new Lines(verbose, streams));
        root.setLevel(Level.WARNING);
        PUNA.setLevel(verbose ? Level.FINE : Level.WARNING);
    }

    private static final class Lines extends Handler {
        private final boolean verbose;
        private final Streams streams;
        private final SimpleFormatter formatter = new SimpleFormatter();

        Lines(boolean verbose, Streams streams) {
            this.verbose = verbose;
            this.streams = streams;
        }

        @Override
        public void publish(LogRecord record) {
            String level = record.getLevel().getName().toLowerCase(Locale.ROOT);
            streams.err().println("puna: " + level + ": " + Main.oneLine(formatter.formatMessage(record)));
            if (verbose && record.getThrown() != null) {
                record.getThrown().printStackTrace(streams.err());
            }
            streams.err().flush();
        }

        @Override
        public void flush() {
            streams.err().flush();
        }

        @Override
        public void close() {}
    }
}
