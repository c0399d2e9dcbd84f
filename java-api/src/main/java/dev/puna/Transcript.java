// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.ChatFormat;
import dev.puna.internal.template.Segment;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a chat has read and said: a text, the ids that stand for it, and marks at which both may be cut. So ids that
 * were generated stay as they were where the conversation goes on, whatever a tokenizer would make of their text.
 *
 * <p>Invariants: the ids up to a mark stand for the text up to that mark; the last mark is at the end; `control` has
 * the characters that spell control tokens. These are kept only where the template itself writes them again. Immutable.
 */
@SuppressWarnings("ArrayRecordComponent")
record Transcript(String text, BitSet control, int[] ids, List<Mark> marks) {
    /** Nothing yet. */
    static final Transcript EMPTY = new Transcript("", new BitSet(), new int[0], List.of());

    /** A place where the text and the ids may be cut. */
    record Mark(int characters, int count) {}

    /**
     * The transcript of a conversation rendered anew: the ids of what it begins with in common are kept.
     *
     * @param rendered the whole conversation
     * @param format gives the ids of the rest
     */
    Transcript next(List<Segment> rendered, ChatFormat format) {
        BitSet origins = origins(rendered);
        String whole = text(rendered);
        int common = common(whole, origins);
        List<Mark> kept = new ArrayList<>(marks);
        kept.removeIf(mark -> mark.characters > common);
        Mark cut = kept.isEmpty() ? new Mark(0, 0) : kept.getLast();
        int[] rest = format.encode(after(rendered, cut.characters));
        BitSet spelled = spelled(whole, origins, cut.characters, rest, format);
        spelled.or(control.get(0, cut.characters));
        return marked(whole, spelled, joined(IntStream.of(ids).limit(cut.count), rest), kept);
    }

    /**
     * What stays of the transcript where the conversation is now this one.
     *
     * @param rendered the whole conversation
     * @return its longest beginning up to a mark that both have
     */
    Transcript kept(List<Segment> rendered) {
        int common = common(text(rendered), origins(rendered));
        List<Mark> kept =
                marks.stream().filter(mark -> mark.characters <= common).toList();
        if (kept.isEmpty()) {
            return EMPTY;
        }
        Mark end = kept.getLast();
        BitSet spelled = control.get(0, end.characters);
        return new Transcript(text.substring(0, end.characters), spelled, Arrays.copyOf(ids, end.count), kept);
    }

    private static String text(List<Segment> rendered) {
        StringBuilder all = new StringBuilder();
        rendered.forEach(segment -> all.append(segment.text()));
        return all.toString();
    }

    /** The characters that the template wrote. */
    private static BitSet origins(List<Segment> rendered) {
        BitSet origins = new BitSet();
        int at = 0;
        for (Segment segment : rendered) {
            origins.set(at, at + segment.text().length(), segment.trusted());
            at += segment.text().length();
        }
        return origins;
    }

    /** Where the control tokens among some ids stand, which the template spelled from a place on. */
    private static BitSet spelled(String whole, BitSet origins, int from, int[] ids, ChatFormat format) {
        BitSet spelled = new BitSet();
        int at = from;
        for (int id : ids) {
            String token = format.controlToken(id);
            if (!token.isEmpty()) {
                at = whole.indexOf(token, at);
                while (at >= 0 && origins.nextClearBit(at) < at + token.length()) {
                    at = whole.indexOf(token, at + 1); // what a user wrote is no control token
                }
                if (at < 0) {
                    break;
                }
                spelled.set(at, at + token.length());
                at += token.length();
            }
        }
        return spelled;
    }

    /**
     * The transcript with an answer behind it.
     *
     * @param answer the text, which nobody trusts
     * @param end the control token behind it as the vocabulary spells it, or nothing
     * @param generated the ids of both
     */
    Transcript plus(String answer, String end, int[] generated) {
        BitSet spelled = (BitSet) control.clone();
        int from = text.length() + answer.length();
        spelled.set(from, from + end.length());
        return marked(text + answer + end, spelled, joined(IntStream.of(ids), generated), new ArrayList<>(marks));
    }

    private static Transcript marked(String text, BitSet control, int[] ids, List<Mark> marks) {
        marks.add(new Mark(text.length(), ids.length));
        return new Transcript(text, control, ids, List.copyOf(marks));
    }

    private static int[] joined(IntStream first, int[] second) {
        return IntStream.concat(first, IntStream.of(second)).toArray();
    }

    /** Characters at the beginning that are the same; control tokens must be the template's own there, too. */
    private int common(String other, BitSet origins) {
        int differs = CharBuffer.wrap(text).mismatch(CharBuffer.wrap(other));
        BitSet forged = (BitSet) control.clone();
        forged.andNot(origins);
        int forgery = forged.nextSetBit(0);
        int same = differs < 0 ? other.length() : differs;
        return forgery < 0 ? same : Math.min(same, forgery);
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
