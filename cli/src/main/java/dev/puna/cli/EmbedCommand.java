// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Embedding;
import dev.puna.Model;
import dev.puna.Pooling;
import dev.puna.PunaException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code puna embed}: a line of numbers for each text. */
@Command(name = "embed", description = "Turn texts into vectors: what is alike in meaning lies close.")
final class EmbedCommand implements Callable<Integer> {
    /** Texts that are read between two looks at how far it is; many steps of an engine. Vectors are the same. */
    private static final int TOGETHER = 1024;

    private final Streams streams;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Mixin
    private final AdapterOptions adapters = new AdapterOptions();

    @Option(
            names = "--pooling",
            paramLabel = "KIND",
            description = "${COMPLETION-CANDIDATES} (default: what the model was trained for).")
    private Pooling pooling = Pooling.MODEL;

    @Option(names = "--normalize", description = "Vectors of length 1.")
    private boolean normalize;

    @Option(names = "--dimensions", paramLabel = "N", description = "The first N numbers alone.")
    private @Nullable Integer dimensions;

    @Option(names = "--truncate", description = "Cut texts that are too long (else they are an error).")
    private boolean truncate;

    @Option(names = "--json", description = "A JSON array of vectors.")
    private boolean json;

    @Parameters(arity = "0..*", paramLabel = "TEXT", description = "The texts (default: the lines of standard input).")
    private List<String> texts = new ArrayList<>();

    EmbedCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        adapters.check();
        List<String> wanted = Lines.of(texts, streams);
        try (Model loaded = new Models(streams).load(model.reference, options -> {})) {
            AdapterOptions.Loaded used = adapters.open(loaded);
            List<List<Float>> found = new ArrayList<>();
            try (ProgressLine line = new ProgressLine(streams)) {
                for (int from = 0; from < wanted.size(); from += TOGETHER) {
                    List<String> some = wanted.subList(from, Math.min(wanted.size(), from + TOGETHER));
                    List<float[]> vectors = vectors(loaded, used, some, from);
                    line.hide();
                    if (json) {
                        vectors.forEach(v -> found.add(boxed(v)));
                    } else {
                        vectors.forEach(v -> streams.out().println(Lines.joined(boxed(v))));
                    }
                    line.show("read " + (from + some.size()) + " of " + wanted.size() + " texts");
                }
            }
            if (json) {
                Json.print(streams.out(), found);
            }
        }
        return 0;
    }

    /** first: the number of the first one, since messages count from there. */
    private List<float[]> vectors(Model loaded, AdapterOptions.Loaded used, List<String> some, int first) {
        try {
            Embedding request = asked(loaded.embed(some));
            used.each(request::adapter);
            return request.vectors();
        } catch (PunaException e) {
            if (first == 0) {
                throw e;
            }
            throw new IllegalArgumentException("behind the first " + first + " texts: " + e.getMessage(), e);
        }
    }

    private Embedding asked(Embedding request) {
        request.pooling(pooling);
        if (normalize) {
            request.normalize();
        }
        if (truncate) {
            request.truncate();
        }
        if (dimensions != null) {
            request.dimensions(dimensions);
        }
        return request;
    }

    private static List<Float> boxed(float[] vector) {
        List<Float> all = new ArrayList<>(vector.length);
        for (float number : vector) {
            all.add(number);
        }
        return all;
    }
}
