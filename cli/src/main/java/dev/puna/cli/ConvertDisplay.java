// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.convert.ConvertProgress;
import java.io.PrintStream;
import java.util.function.Consumer;

/** Shows on a terminal how far a conversion is: one line that moves. */
final class ConvertDisplay implements Consumer<ConvertProgress>, AutoCloseable {
    private final PrintStream err;
    private final boolean terminal;
    private boolean shown;

    ConvertDisplay(Streams streams) {
        err = streams.err();
        terminal = streams.errIsTerminal();
    }

    @Override
    public void accept(ConvertProgress progress) {
        if (terminal && progress.total() > 0) {
            err.print("\r\033[Kconverting " + Units.bytes(progress.done()) + " of " + Units.bytes(progress.total()));
            err.flush();
            shown = true;
        }
    }

    @Override
    public void close() {
        if (shown) {
            err.print("\r\033[K");
            err.flush();
            shown = false;
        }
    }
}
