// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.LoadProgress;
import java.util.function.Consumer;

/** Shows on a terminal that a model is being loaded, when that takes a while. */
final class LoadDisplay implements Consumer<LoadProgress>, AutoCloseable {
    private static final long PATIENCE_NANOS = 400_000_000;

    private final ProgressLine line;
    private final long begun = System.nanoTime();

    LoadDisplay(Streams streams) {
        line = new ProgressLine(streams);
    }

    @Override
    public void accept(LoadProgress progress) {
        if (System.nanoTime() - begun >= PATIENCE_NANOS) {
            String how = progress.total() > 0 ? " " + 100 * progress.done() / progress.total() + " %" : "";
            line.show("loading the model" + how);
        }
    }

    @Override
    public void close() {
        line.close();
    }
}
