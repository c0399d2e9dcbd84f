// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.ContextOptions;
import dev.puna.Model;
import dev.puna.store.ModelDescription;
import dev.puna.store.ModelReference;
import dev.puna.store.ModelStore;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** Brings models here and loads them, and says so on standard error. */
final class Models {
    private final Streams streams;
    private final ModelStore store = ModelStore.standard();

    Models(Streams streams) {
        this.streams = streams;
    }

    ModelStore store() {
        return store;
    }

    /** The model's file; what is not here is announced, then fetched. */
    Path file(ModelReference reference) {
        if (reference instanceof ModelReference.LocalFile) {
            return store.fetch(reference);
        }
        Optional<Path> here = store.resolve(reference);
        if (here.isPresent()) {
            return here.get();
        }
        ModelDescription model = store.describe(reference);
        try (FetchDisplay display = new FetchDisplay(streams, () -> announce(model))) {
            return store.fetch(reference, display);
        }
    }

    private void announce(ModelDescription model) {
        String size = model.size().isPresent() ? Units.bytes(model.size().getAsLong()) : "of unknown size";
        streams.err().println("puna: fetching " + model.reference() + ", " + size + ", from " + model.source());
        if (!model.about().isEmpty()) {
            streams.err().println("puna: " + model.about());
        }
        String begun = model.receivedBytes() > 0 ? "; " + Units.bytes(model.receivedBytes()) + " are here already" : "";
        streams.err().println("puna: into " + model.folder() + ", " + Units.bytes(model.freeBytes()) + " free" + begun);
        streams.err().flush();
    }

    Model load(ModelReference reference, Consumer<ContextOptions> options) {
        Path file = file(reference);
        try (LoadDisplay display = new LoadDisplay(streams)) {
            return Model.builder(file)
                    .store(store)
                    .defaultContext(options)
                    .onProgress(display)
                    .load();
        }
    }
}
