// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.ModelFile;
import dev.puna.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code puna tokenize}: needs the vocabulary alone, so a file without tensors will do. */
@Command(name = "tokenize", description = "Show the tokens of a text; nothing is added in front or behind.")
final class TokenizeCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(names = "--special", description = "Control tokens that the text spells out become their ids.")
    private boolean special;

    @Option(names = "--json", description = "The ids as a JSON array.")
    private boolean json;

    @Parameters(arity = "0..1", paramLabel = "TEXT", description = "The text (default: standard input, byte for byte).")
    private @Nullable String text;

    TokenizeCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        try (ModelFile file = ModelFile.open(new Models(streams).file(model.reference))) {
            byte[] bytes = text != null
                    ? text.getBytes(StandardCharsets.UTF_8)
                    : streams.in().readAllBytes();
            Tokenizer tokenizer = file.tokenizer();
            int[] ids = tokenizer.encode(bytes, special, false);
            if (json) {
                Json.print(streams.out(), ids);
            } else {
                for (int id : ids) {
                    streams.out().printf("%7d  %s%n", id, Escapes.of(tokenizer.decodeBytes(new int[] {id}, true)));
                }
            }
        }
        return 0;
    }
}
