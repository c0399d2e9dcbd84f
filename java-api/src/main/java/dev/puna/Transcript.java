// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.template.Segment;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * What a chat has read and said: a text with its origins, the ids that stand for it, and marks at which both may be cut. So
 * ids that were generated stay as they were where the conversation goes on, whatever a tokenizer would make of their text.
 *
 * <p>Invariant: the ids up to a mark stand for the text up to that mark; the last mark is at the end. Immutable.
 */
@SuppressWarnings("ArrayRecordComponent")
record Transcript(String text, BitSet trusted, int[] ids, List<Mark> marks) {
    /** Nothing yet. */
    static final Transcript EMPTY = new Transcript("", new BitSet(), new int[0], List.of());

    /** A place where the text and the ids may be cut. */
    record Mark(int characters, int count) {}

    /**
     * The transcript of a conversation rendered anew: the ids of what it begins with in common are kept.
     *
     * @param rendered the whole conversation
     * @param encoder gives the ids of the rest
     */
    Transcript next(List<Segment> rendered, Function<List<Segment>, int[]> encoder) {
        StringBuilder all = new StringBuilder();
        BitSet origins = new BitSet();
        for (Segment segment : rendered) {
            origins.set(all.length(), all.length() + segment.text().length(), segment.trusted());
            all.append(segment.text());
        }
        String whole = all.toString();
        int common = common(whole, origins);
        List<Mark> kept = new ArrayList<>(marks);
        kept.removeIf(mark -> mark.characters > common);
        Mark cut = kept.isEmpty() ? new Mark(0, 0) : kept.getLast();
        int[] rest = encoder.apply(after(rendered, cut.characters));
        return marked(whole, origins, joined(IntStream.of(ids).limit(cut.count), rest), kept);
    }

    /**
     * The transcript with an answer behind it.
     *
     * @param answer the text, which nobody trusts
     * @param end the control token behind it as the vocabulary spells it, or nothing
     * @param generated the ids of both
     */
    Transcript plus(String answer, String end, int[] generated) {
        BitSet origins = (BitSet) trusted.clone();
        int from = text.length() + answer.length();
        origins.set(from, from + end.length());
        return marked(text + answer + end, origins, joined(IntStream.of(ids), generated), new ArrayList<>(marks));
    }

    private static Transcript marked(String text, BitSet trusted, int[] ids, List<Mark> marks) {
        marks.add(new Mark(text.length(), ids.length));
        return new Transcript(text, trusted, ids, List.copyOf(marks));
    }

    private static int[] joined(IntStream first, int[] second) {
        return IntStream.concat(first, IntStream.of(second)).toArray();
    }

    /** Characters at the beginning that are the same, and of the same origin. */
    private int common(String other, BitSet origins) {
        int differs = CharBuffer.wrap(text).mismatch(CharBuffer.wrap(other));
        BitSet changed = (BitSet) trusted.clone();
        changed.xor(origins);
        int change = changed.nextSetBit(0);
        int same = differs < 0 ? other.length() : differs;
        return change < 0 ? same : Math.min(same, change);
    }

    private static List<Segment> after(List<Segment> segments, int characters) {
        List<Segment> rest = new ArrayList<>();
        int left = characters;
        for (Segment segment : segments) {
            int length = segment.text().length();
            if (left < length) {
                rest.add(left == 0 ? segment : new Segment(segment.text().substring(left), segment.trusted()));
            }
            left = Math.max(0, left - length);
        }
        return rest;
    }
}
