// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Model;
import dev.puna.Ranked;
import dev.puna.Ranking;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code puna rerank}: the documents, the best one first. */
@Command(name = "rerank", description = "Rank documents by what they have to do with a query.")
final class RerankCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Mixin
    private final AdapterOptions adapters = new AdapterOptions();

    @Option(names = "--top", paramLabel = "N", description = "The best N alone.")
    private int top = Integer.MAX_VALUE;

    @Option(names = "--truncate", description = "Cut documents that are too long (else they are an error).")
    private boolean truncate;

    @Option(names = "--json", description = "A JSON array of index, score and document.")
    private boolean json;

    @Parameters(index = "0", paramLabel = "QUERY", description = "What is looked for.")
    @SuppressWarnings("NullAway.Init")
    private String query;

    @Parameters(
            index = "1..*",
            arity = "0..*",
            paramLabel = "DOCUMENT",
            description = "What is looked through (default: the lines of standard input).")
    private List<String> documents = new ArrayList<>();

    RerankCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        adapters.check();
        List<String> wanted = Lines.of(documents, streams);
        try (Model loaded = new Models(streams).load(model.reference, options -> {})) {
            Ranking request = loaded.rerank(query, wanted);
            adapters.open(loaded).each(request::adapter);
            if (truncate) {
                request.truncate();
            }
            List<Ranked> ranked = request.top(top);
            if (json) {
                Json.print(
                        streams.out(),
                        ranked.stream()
                                .map(r -> Json.object("index", r.index(), "score", r.score(), "document", r.document()))
                                .toList());
            } else {
                ranked.forEach(r -> streams.out().printf("%9.4f  %s%n", r.score(), r.document()));
            }
        }
        return 0;
    }
}
