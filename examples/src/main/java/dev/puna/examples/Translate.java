// SPDX-License-Identifier: Apache-2.0
package dev.puna.examples;

import dev.puna.Model;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Translates sentences with a text-to-text model, searching for the most probable translation. */
public final class Translate {
    private static final List<String> SENTENCES = List.of("The house is wonderful.", "When does the ferry leave?");

    private Translate() {}

    /**
     * Prints a translation of each sentence.
     *
     * @param arguments a T5 model, a language such as {@code de}, and sentences in English, or just the first two
     */
    public static void main(String... arguments) {
        Locale language = Locale.forLanguageTag(arguments.length > 1 ? arguments[1] : "de");
        List<String> sentences =
                arguments.length > 2 ? Arrays.asList(arguments).subList(2, arguments.length) : SENTENCES;
        try (Model model = Model.load(arguments[0])) {
            for (String sentence : sentences) {
                String translation = model.translate(sentence, Locale.ENGLISH, language)
                        .beams(4)
                        .maxTokens(100)
                        .text();
                IO.println(sentence + " -> " + translation);
            }
        }
    }
}
