// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A text in which every character knows its origin: written by the template (trusted) or come in by a variable.
 *
 * <p>Kept as the text and the offsets where the origin changes. Equality, order and hash see the text alone. Offsets
 * here are UTF-16 units; {@link #offset} turns Python's (code points) into them.
 */
final class Str implements Value, Comparable<Str> {
    static final Str EMPTY = new Str("", true, new int[0], false);

    private final String text;
    private final boolean trusted;
    private final int[] cuts;
    private final boolean markup;

    /** The first run's origin is {@code trusted}; it flips at each of {@code cuts}, ascending and inside the text. */
    Str(String text, boolean trusted, int[] cuts, boolean markup) {
        this.text = text;
        this.trusted = trusted;
        this.cuts = cuts;
        this.markup = markup;
    }

    static Str of(String text, boolean trusted) {
        return text.isEmpty() ? EMPTY : new Str(text, trusted, EMPTY.cuts, false);
    }

    /** A text that the template (or the engine on its behalf) wrote. */
    static Str own(String text) {
        return of(text, true);
    }

    String text() {
        return text;
    }

    /** True for what the safe and escape filters made: what is added to it gets escaped for HTML. */
    boolean markup() {
        return markup;
    }

    Str asMarkup(boolean wanted) {
        return wanted == markup ? this : new Str(text, trusted, cuts, wanted);
    }

    int length() {
        return text.length();
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    /** True when no character came from outside. */
    boolean trusted() {
        return trusted && cuts.length == 0;
    }

    boolean trustedAt(int offset) {
        return trusted ^ ((cutsUpTo(offset) & 1) == 1);
    }

    /** How many cuts there are at or before an offset. */
    private int cutsUpTo(int offset) {
        int at = Arrays.binarySearch(cuts, offset);
        return at >= 0 ? at + 1 : -at - 1;
    }

    Str slice(int from, int to) {
        if (from >= to) {
            return EMPTY.asMarkup(markup);
        }
        if (from == 0 && to == text.length()) {
            return this;
        }
        int[] inside = cuts.length == 0 ? cuts : Arrays.copyOfRange(cuts, cutsUpTo(from), cutsUpTo(to - 1));
        for (int i = 0; i < inside.length; i++) {
            inside[i] -= from;
        }
        return new Str(text.substring(from, to), trustedAt(from), inside, markup);
    }

    List<Segment> runs() {
        List<Segment> runs = new ArrayList<>();
        int start = 0;
        boolean origin = trusted;
        for (int i = 0; i <= cuts.length; i++) {
            int end = i < cuts.length ? cuts[i] : text.length();
            if (end > start) {
                runs.add(new Segment(text.substring(start, end), origin));
            }
            start = end;
            origin = !origin;
        }
        return runs;
    }

    int codePoints() {
        return text.codePointCount(0, text.length());
    }

    /** The UTF-16 offset of a code point's index within 0 and {@link #codePoints}. */
    int offset(int index) {
        return text.offsetByCodePoints(0, index);
    }

    @Override
    public int compareTo(Str other) {
        int i = 0;
        int shared = Math.min(text.length(), other.text.length());
        while (i < shared && text.charAt(i) == other.text.charAt(i)) {
            i++;
        }
        if (i == shared) {
            return Integer.compare(text.length(), other.text.length());
        }
        char a = text.charAt(i);
        char b = other.text.charAt(i);
        // Code point order: a surrogate stands for something above every other unit.
        boolean high = Character.isSurrogate(a);
        return high == Character.isSurrogate(b) ? Character.compare(a, b) : high ? 1 : -1;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Str str && str.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
