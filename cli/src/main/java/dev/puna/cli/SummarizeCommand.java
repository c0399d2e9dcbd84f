// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Model;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code puna summarize}: what texts say, in short. */
@Command(name = "summarize", description = "Sum texts up with a text-to-text model (T5 and its kin).")
final class SummarizeCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Mixin
    private final BeamOptions beams = new BeamOptions();

    @Mixin
    private final AdapterOptions adapters = new AdapterOptions();

    @Parameters(arity = "0..*", paramLabel = "TEXT", description = "Texts (default: standard input, as one text).")
    private List<String> texts = new ArrayList<>();

    SummarizeCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        adapters.check();
        List<String> all = texts.isEmpty()
                ? List.of(new String(streams.in().readAllBytes(), StandardCharsets.UTF_8).strip())
                : texts;
        try (Model loaded = new Models(streams).load(model.reference, beams::apply)) {
            AdapterOptions.Loaded used = adapters.open(loaded);
            beams.print(loaded, all, text -> used.apply(loaded.summarize(text)), streams);
        }
        return 0;
    }
}
