// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.util.List;

/** A regular expression's syntax tree. */
sealed interface Regex {
    /** One character of a set: ranges of code points, ascending and apart. */
    record Chars(List<Range> ranges) implements Regex {}

    /** One after the other; none: the empty text. */
    record Sequence(List<Regex> parts) implements Regex {}

    /** One of them. */
    record Choice(List<Regex> parts) implements Regex {}

    /** Again and again; {@code most} -1: no limit. */
    record Repeat(Regex part, int least, int most) implements Regex {}

    /** Code points, both included. */
    record Range(int first, int last) {}

    /** The empty text. */
    Regex EMPTY = new Sequence(List.of());
}
