// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.store.ModelReference;
import dev.puna.store.ModelStore;
import dev.puna.store.StoredModel;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code puna list}. */
@Command(name = "list", description = "List the models that are here, and the names that can be fetched.")
final class ListCommand implements Callable<Integer> {
    private final Streams streams;

    @Option(names = "--json", description = "The models that are here, as a JSON array.")
    private boolean json;

    ListCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        ModelStore store = new Models(streams).store();
        List<StoredModel> models = store.list();
        if (json) {
            Json.print(streams.out(), models.stream().map(ListCommand::describe).toList());
        } else {
            print(store, models, streams.out());
        }
        return 0;
    }

    private static Object describe(StoredModel model) {
        return Json.object(
                "name", model.name(),
                "path", model.path(),
                "bytes", model.size(),
                "sha256", model.sha256(),
                "source", model.source(),
                "fetched_at", model.fetchedAt(),
                "owned", model.owned());
    }

    private static void print(ModelStore store, List<StoredModel> models, PrintStream out) {
        if (models.isEmpty()) {
            out.println("No model is here yet (" + store.folder() + ").");
        } else {
            Table here = new Table("NAME", "SIZE>", "PATH");
            models.forEach(model -> here.row(model.name(), Units.bytes(model.size()), model.path()));
            here.print(out);
        }
        List<ModelReference> others = new ArrayList<>(store.catalogue());
        models.forEach(model -> others.remove(model.reference()));
        if (!others.isEmpty()) {
            out.println();
            out.println("Others that have a name, fetched when they are used:");
            for (ModelReference name : others) {
                out.println("  " + name);
            }
        }
    }
}
