// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.ModelNotFoundException;
import dev.puna.store.ModelReference;
import dev.puna.store.ModelStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code puna rm REF}. */
@Command(name = "rm", description = "Remove a model that was fetched.")
final class RemoveCommand implements Callable<Integer> {
    private final Streams streams;

    @Parameters(paramLabel = "REF", converter = ModelOption.Converter.class, description = "Which model.")
    @SuppressWarnings("NullAway.Init")
    private ModelReference reference;

    RemoveCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        ModelStore store = new Models(streams).store();
        if (reference instanceof ModelReference.LocalFile file) {
            throw new IllegalArgumentException(file + " is a file of yours: only models that Puna fetched are removed");
        }
        if (!store.remove(reference)) {
            throw new ModelNotFoundException(reference + " is not in " + store.folder() + "; puna list shows what is");
        }
        streams.err().println("removed " + reference);
        streams.err().flush();
        return 0;
    }
}
