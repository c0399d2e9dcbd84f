// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Fill;
import dev.puna.FillMask;
import dev.puna.Model;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code puna fill-mask}: what may stand for each mask of a text. */
@Command(name = "fill-mask", description = "Say what may stand for the masks of a text.")
final class FillMaskCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Mixin
    private final AdapterOptions adapters = new AdapterOptions();

    @Option(
            names = "--top",
            paramLabel = "N",
            defaultValue = "5",
            description = "How many (default: ${DEFAULT-VALUE}).")
    private int top;

    @Option(names = "--json", description = "A JSON array: for each mask an array of token, word and probability.")
    private boolean json;

    @Parameters(paramLabel = "TEXT", description = "A text with masks, spelled as the model spells them: [MASK].")
    @SuppressWarnings("NullAway.Init")
    private String text;

    FillMaskCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        adapters.check();
        try (Model loaded = new Models(streams).load(model.reference, options -> {})) {
            FillMask request = loaded.fillMask(text);
            adapters.open(loaded).each(request::adapter);
            List<List<Fill>> masks = request.tops(top);
            if (json) {
                Json.print(
                        streams.out(),
                        masks.stream()
                                .map(fills -> fills.stream()
                                        .map(f -> Json.object(
                                                "token", f.token(), "word", f.word(), "probability", f.probability()))
                                        .toList())
                                .toList());
            } else {
                masks.forEach(fills ->
                        fills.forEach(f -> streams.out().printf("%.4f  %s%n", f.probability(), f.word())));
            }
        }
        return 0;
    }
}
