// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.util.Arrays;

/** Puts a {@link Str} together, origins kept, within the budget. */
final class StrBuilder {
    private final Budget budget;
    private final StringBuilder text = new StringBuilder();
    private int[] cuts = new int[4];
    private int count;
    private boolean first = true;
    private boolean last = true;

    StrBuilder(Budget budget) {
        this.budget = budget;
    }

    int length() {
        return text.length();
    }

    StrBuilder own(String piece) {
        return add(piece, 0, piece.length(), true);
    }

    StrBuilder add(String piece, boolean trusted) {
        return add(piece, 0, piece.length(), trusted);
    }

    StrBuilder add(Str piece) {
        return add(piece, 0, piece.length());
    }

    /** Appends a part of a text, run by run. */
    StrBuilder add(Str piece, int from, int to) {
        if (from >= to) {
            return this;
        }
        Str part = piece.slice(from, to);
        for (Segment run : part.runs()) {
            add(run.text(), 0, run.text().length(), run.trusted());
        }
        return this;
    }

    private StrBuilder add(String piece, int from, int to, boolean trusted) {
        if (from >= to) {
            return this;
        }
        budget.longest((long) text.length() + to - from);
        budget.characters(to - from);
        if (text.isEmpty()) {
            first = trusted;
        } else if (trusted != last) {
            if (count == cuts.length) {
                cuts = Arrays.copyOf(cuts, 2 * count);
            }
            cuts[count++] = text.length();
        }
        last = trusted;
        text.append(piece, from, to);
        return this;
    }

    Str build() {
        return text.isEmpty() ? Str.EMPTY : new Str(text.toString(), first, Arrays.copyOf(cuts, count), false);
    }
}
