// SPDX-License-Identifier: Apache-2.0
package dev.puna.examples;

import dev.puna.Model;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Finds the sentences whose meaning is closest to a question's, by their vectors. */
public final class SemanticSearch {
    private static final List<String> SENTENCES = List.of(
            "The ferry leaves at seven in the morning.",
            "Whales eat krill and small fish.",
            "The bakery on the corner sells fresh bread.",
            "A compass points to the north.");

    private SemanticSearch() {}

    /**
     * Prints the sentences, the closest one first.
     *
     * @param arguments a model that makes vectors, a question, and the sentences, or just the first of these
     */
    public static void main(String... arguments) {
        String reference = arguments.length > 0 ? arguments[0] : "smollm2";
        String question = arguments.length > 1 ? arguments[1] : "When does the boat go?";
        List<String> sentences =
                arguments.length > 2 ? Arrays.asList(arguments).subList(2, arguments.length) : SENTENCES;
        try (Model model = Model.load(reference)) {
            float[] wanted = model.embed(question).normalize().vector();
            List<float[]> vectors = model.embed(sentences).normalize().vectors();
            IntStream.range(0, sentences.size())
                    .boxed()
                    .sorted(Comparator.comparingDouble(i -> -product(wanted, vectors.get(i))))
                    .forEach(i ->
                            IO.println(String.format("%.3f  %s", product(wanted, vectors.get(i)), sentences.get(i))));
        }
    }

    private static double product(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
