// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.convert.ConvertProgress;
import java.util.function.Consumer;

/** Shows on a terminal how far a conversion is. */
final class ConvertDisplay implements Consumer<ConvertProgress>, AutoCloseable {
    private final ProgressLine line;

    ConvertDisplay(Streams streams) {
        line = new ProgressLine(streams);
    }

    @Override
    public void accept(ConvertProgress progress) {
        if (progress.total() > 0) {
            line.show("converting " + Units.bytes(progress.done()) + " of " + Units.bytes(progress.total()));
        }
    }

    @Override
    public void close() {
        line.close();
    }
}
