// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.store.ForeignModel;
import dev.puna.store.ModelReference;
import dev.puna.store.ModelStore;
import dev.puna.store.StoredModel;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
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
        Set<ModelReference> used = models.stream().map(StoredModel::reference).collect(Collectors.toSet());
        List<ForeignModel> foreign = store.foreign().stream()
                .filter(model -> !used.contains(model.reference()))
                .toList();
        if (json) {
            List<Object> all = new ArrayList<>();
            models.forEach(model -> all.add(describe(model)));
            foreign.forEach(model -> all.add(describe(model)));
            Json.print(streams.out(), all);
        } else {
            print(store, models, foreign, streams.out());
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

    private static Object describe(ForeignModel model) {
        return Json.object(
                "name", model.reference().toString(),
                "path", model.path(),
                "bytes", model.size(),
                "source", model.cache(),
                "owned", false);
    }

    private static void print(ModelStore store, List<StoredModel> models, List<ForeignModel> foreign, PrintStream out) {
        if (models.isEmpty()) {
            out.println("No model is here yet (" + store.folder() + ").");
        } else {
            Table here = new Table("NAME", "SIZE>", "PATH");
            models.forEach(model -> here.row(
                    model.name(),
                    Units.bytes(model.size()),
                    model.owned() ? model.path() : model.path() + " (" + model.source() + ")"));
            here.print(out);
        }
        if (!foreign.isEmpty()) {
            out.println();
            out.println("Models of other tools, used where they lie:");
            Table theirs = new Table("NAME", "SIZE>", "OF");
            foreign.forEach(model -> theirs.row(model.reference(), Units.bytes(model.size()), model.cache()));
            theirs.print(out);
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
