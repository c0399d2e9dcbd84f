// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Model;
import dev.puna.ReplayRecord;
import dev.puna.store.ModelReference;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code puna replay}: whether this machine gives the same tokens. */
@Command(
        name = "replay",
        description =
                "Generate again what a record (puna run --record) tells of; say equal, or where it first differs.")
final class ReplayCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private final EngineOptions engine = new EngineOptions();

    @Option(
            names = {"-m", "--model"},
            paramLabel = "REF",
            description = "The model (default: the file that the record names).")
    private @Nullable String model;

    @Option(names = "--json", description = "One JSON object: equal, first_difference, recorded, replayed.")
    private boolean json;

    @Parameters(paramLabel = "FILE", description = "The record.")
    @SuppressWarnings("NullAway.Init")
    private Path file;

    ReplayCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        engine.check();
        ReplayRecord record = ReplayRecord.read(file);
        ModelReference reference = model == null ? ModelReference.of(record.modelPath()) : ModelReference.parse(model);
        try (Model loaded = new Models(streams).load(reference, options -> {})) {
            ReplayRecord.Result result = record.replay(loaded, engine::apply);
            if (json) {
                Json.print(
                        streams.out(),
                        Json.object(
                                "equal", result.isEqual(),
                                "first_difference", result.firstDifference(),
                                "recorded", result.expected(),
                                "replayed", result.tokens(),
                                "library", record.libraryVersion(),
                                "arithmetic", record.arithmeticVersion()));
            } else {
                streams.out().println(result);
            }
            return result.isEqual() ? 0 : Main.FAILED;
        }
    }
}
