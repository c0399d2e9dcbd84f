// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.util.List;

/**
 * One of many texts, by their common beginnings: a grammar walks all alternatives at once, and thousands of them that
 * begin alike would be thousands of places to be in.
 */
final class TextChoice {
    private static final int MAX_DEPTH = 1000;

    private final GrammarText grammar;
    private final List<int[]> texts;

    private TextChoice(GrammarText grammar, List<int[]> texts) {
        this.grammar = grammar;
        this.texts = texts;
    }

    /** An expression of some texts, none of which is the beginning of another (those in quotes are not). */
    static String of(GrammarText grammar, List<String> texts) {
        List<int[]> sorted = texts.stream()
                .distinct()
                .sorted()
                .map(text -> text.codePoints().toArray())
                .toList();
        return new TextChoice(grammar, sorted).between(0, sorted.size(), 0, 0);
    }

    /** Texts from begin to end, which are equal before {@code from}. */
    private String between(int begin, int end, int from, int depth) {
        int[] first = texts.get(begin);
        if (end - begin == 1) {
            return quoted(first, from, first.length);
        }
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("too many of the schema's values are the beginning of others");
        }
        int[] last = texts.get(end - 1);
        int to = from;
        while (first[to] == last[to]) {
            to++;
        }
        StringBuilder ways = new StringBuilder();
        for (int i = begin; i < end; ) {
            int next = i + 1;
            while (next < end && texts.get(next)[to] == texts.get(i)[to]) {
                next++;
            }
            ways.append(ways.isEmpty() ? "" : " | ").append(between(i, next, to, depth + 1));
            i = next;
        }
        return (to > from ? quoted(first, from, to) + " " : "") + grammar.rule("choice", ways.toString());
    }

    private static String quoted(int[] text, int from, int to) {
        return GrammarText.quoted(new String(text, from, to - from));
    }
}
