// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.store.ModelReference;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code puna pull REF}. */
@Command(name = "pull", description = "Fetch a model; print where its file lies.")
final class PullCommand implements Callable<Integer> {
    private final Streams streams;

    @Parameters(paramLabel = "REF", converter = ModelOption.Converter.class, description = "Which model.")
    @SuppressWarnings("NullAway.Init")
    private ModelReference reference;

    PullCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        streams.out().println(new Models(streams).file(reference));
        return 0;
    }
}
