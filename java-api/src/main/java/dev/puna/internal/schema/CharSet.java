// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Sets of code points without surrogates. */
final class CharSet {
    private static final int LAST = 0x10FFFF;
    private static final List<Regex.Range> SURROGATES = List.of(new Regex.Range(0xD800, 0xDFFF));

    static final List<Regex.Range> DIGITS = List.of(new Regex.Range('0', '9'));
    static final List<Regex.Range> WORD = normal(List.of(
            new Regex.Range('0', '9'),
            new Regex.Range('A', 'Z'),
            new Regex.Range('_', '_'),
            new Regex.Range('a', 'z')));
    static final List<Regex.Range> SPACE = normal(List.of(new Regex.Range('\t', '\r'), new Regex.Range(' ', ' ')));

    private CharSet() {}

    static List<Regex.Range> one(int codePoint) {
        return List.of(new Regex.Range(codePoint, codePoint));
    }

    /** Ascending and apart; no surrogates. */
    static List<Regex.Range> normal(List<Regex.Range> ranges) {
        return complement(union(complement(ranges), SURROGATES));
    }

    /** All others, surrogates not among them. */
    static List<Regex.Range> negated(List<Regex.Range> ranges) {
        return normal(complement(ranges));
    }

    /** Those of one set that another lacks. */
    static List<Regex.Range> minus(List<Regex.Range> ranges, List<Regex.Range> others) {
        return complement(union(complement(ranges), others));
    }

    static boolean has(List<Regex.Range> ranges, int codePoint) {
        return ranges.stream().anyMatch(r -> r.first() <= codePoint && codePoint <= r.last());
    }

    private static List<Regex.Range> union(List<Regex.Range> a, List<Regex.Range> b) {
        List<Regex.Range> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }

    private static List<Regex.Range> complement(List<Regex.Range> ranges) {
        List<Regex.Range> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingInt(Regex.Range::first));
        List<Regex.Range> out = new ArrayList<>();
        int next = 0;
        for (Regex.Range range : sorted) {
            if (range.first() > next) {
                out.add(new Regex.Range(next, range.first() - 1));
            }
            next = Math.max(next, range.last() + 1);
        }
        if (next <= LAST) {
            out.add(new Regex.Range(next, LAST));
        }
        return out;
    }
}
