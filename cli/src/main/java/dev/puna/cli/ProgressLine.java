// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.PrintStream;

/** One line on a terminal that says how far long work is, and goes away in the end. Elsewhere nothing is shown. */
final class ProgressLine implements AutoCloseable {
    private final PrintStream err;
    private final boolean terminal;
    private boolean shown;

    ProgressLine(Streams streams) {
        err = streams.err();
        terminal = streams.errIsTerminal();
    }

    /** In place of what was shown before. */
    void show(String text) {
        if (terminal) {
            err.print("\r\033[K" + text);
            err.flush();
            shown = true;
        }
    }

    /** For what is printed in between. */
    void hide() {
        if (shown) {
            err.print("\r\033[K");
            err.flush();
            shown = false;
        }
    }

    @Override
    public void close() {
        hide();
    }
}
