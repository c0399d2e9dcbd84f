// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.LoadProgress;
import java.io.PrintStream;
import java.util.function.Consumer;

/** Shows on a terminal that a model is being loaded, when that takes a while. */
final class LoadDisplay implements Consumer<LoadProgress>, AutoCloseable {
    private static final long PATIENCE_NANOS = 400_000_000;

    private final PrintStream err;
    private final Streams streams;
    private final long begun = System.nanoTime();
    private boolean shown;

    LoadDisplay(Streams streams) {
        this.streams = streams;
        this.err = streams.err();
    }

    @Override
    public void accept(LoadProgress progress) {
        if (System.nanoTime() - begun < PATIENCE_NANOS || !streams.errIsTerminal()) {
            return;
        }
        String how = progress.total() > 0 ? " " + 100 * progress.done() / progress.total() + " %" : "";
        err.print("\r\033[Kloading the model" + how);
        err.flush();
        shown = true;
    }

    @Override
    public void close() {
        if (shown) {
            err.print("\r\033[K");
            err.flush();
        }
    }
}
