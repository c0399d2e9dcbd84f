// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Model;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code puna translate}: texts in another language. */
@Command(name = "translate", description = "Translate texts with a text-to-text model (T5 and its kin).")
final class TranslateCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Mixin
    private final BeamOptions beams = new BeamOptions();

    @Mixin
    private final AdapterOptions adapters = new AdapterOptions();

    @Option(
            names = "--from",
            paramLabel = "LANG",
            defaultValue = "en",
            description = "The texts' language, as en or pt-BR (default: ${DEFAULT-VALUE}).")
    private String from = "en";

    @Option(names = "--to", paramLabel = "LANG", required = true, description = "The language wanted, as de.")
    @SuppressWarnings("NullAway.Init")
    private String to;

    @Parameters(arity = "0..*", paramLabel = "TEXT", description = "Texts (default: the lines of standard input).")
    private List<String> texts = new ArrayList<>();

    TranslateCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        adapters.check();
        List<String> all = Lines.of(texts, streams);
        Locale source = language("--from", from);
        Locale target = language("--to", to);
        try (Model loaded = new Models(streams).load(model.reference, beams::apply)) {
            AdapterOptions.Loaded used = adapters.open(loaded);
            beams.print(loaded, all, text -> used.apply(loaded.translate(text, source, target)), streams);
        }
        return 0;
    }

    private static Locale language(String option, String tag) {
        Locale found = Locale.forLanguageTag(tag);
        if (found.getLanguage().isEmpty()) {
            throw new IllegalArgumentException(option + " is " + tag + "; it may be a language such as en or pt-BR");
        }
        return found;
    }
}
