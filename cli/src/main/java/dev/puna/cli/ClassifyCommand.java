// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Classification;
import dev.puna.Model;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code puna classify}: the probability of each label. */
@Command(name = "classify", description = "Tell how texts belong to a classifier's labels.")
final class ClassifyCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Mixin
    private final AdapterOptions adapters = new AdapterOptions();

    @Option(names = "--truncate", description = "Cut texts that are too long (else they are an error).")
    private boolean truncate;

    @Option(names = "--json", description = "A JSON array: an object of labels for each text.")
    private boolean json;

    @Parameters(arity = "0..*", paramLabel = "TEXT", description = "The texts (default: the lines of standard input).")
    private List<String> texts = new ArrayList<>();

    ClassifyCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        List<Map<String, Float>> all = new ArrayList<>();
        adapters.check();
        try (Model loaded = new Models(streams).load(model.reference, options -> {})) {
            AdapterOptions.Loaded used = adapters.open(loaded);
            for (String text : Lines.of(texts, streams)) {
                Classification request = loaded.classify(text);
                used.each(request::adapter);
                if (truncate) {
                    request.truncate();
                }
                all.add(request.scores());
            }
        }
        if (json) {
            Json.print(streams.out(), all);
            return 0;
        }
        for (Map<String, Float> scores : all) {
            scores.entrySet().stream()
                    .sorted(Map.Entry.<String, Float>comparingByValue().reversed())
                    .forEach(e -> streams.out().printf("%.4f  %s%n", e.getValue(), e.getKey()));
        }
        return 0;
    }
}
