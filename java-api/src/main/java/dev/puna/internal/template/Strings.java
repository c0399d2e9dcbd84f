// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** What can be done to texts. Everything is cut from and put together of its sources, so that origins stay right. */
final class Strings {
    private Strings() {}

    /** Whitespace, or the characters given, off one or both ends. */
    static Str strip(Str str, @Nullable Str characters, boolean left, boolean right) {
        String text = str.text();
        IntPredicate drop =
                characters == null ? Chars::isSpace : c -> characters.text().indexOf(c) >= 0;
        int from = 0;
        int to = text.length();
        while (left && from < to && drop.test(text.codePointAt(from))) {
            from += Character.charCount(text.codePointAt(from));
        }
        while (right && to > from && drop.test(text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return str.slice(from, to);
    }

    static List<Value> split(Str str, @Nullable Str separator, int max, Budget budget) {
        budget.characters(str.length());
        List<Value> parts = new ArrayList<>();
        String text = str.text();
        int from = 0;
        if (separator == null) {
            from = Chars.skipSpace(text, 0);
            while (from < text.length()) {
                int to = from;
                if (max >= 0 && parts.size() >= max) {
                    to = Chars.stripRight(text).length();
                } else {
                    while (to < text.length() && !Chars.isSpace(text.charAt(to))) {
                        to++;
                    }
                }
                budget.elements(1);
                parts.add(str.slice(from, to));
                from = Chars.skipSpace(text, to);
            }
            return parts;
        }
        if (separator.isEmpty()) {
            throw new Failure("split() needs a separator that is not empty");
        }
        for (int at = text.indexOf(separator.text()); at >= 0 && (max < 0 || parts.size() < max); ) {
            budget.elements(1);
            parts.add(str.slice(from, at));
            from = at + separator.length();
            at = text.indexOf(separator.text(), from);
        }
        parts.add(str.slice(from, text.length()));
        return parts;
    }

    /** Splits from the right. */
    static List<Value> splitRight(Str str, @Nullable Str separator, int max, Budget budget) {
        if (max < 0) {
            return split(str, separator, max, budget);
        }
        budget.characters(str.length());
        List<Value> parts = new ArrayList<>();
        String text = str.text();
        int to = separator == null ? Chars.stripRight(text).length() : text.length();
        while (parts.size() < max) {
            int at = to;
            if (separator == null) {
                while (at > 0 && !Chars.isSpace(text.charAt(at - 1))) {
                    at--;
                }
                if (Chars.skipSpace(text, 0) >= at) {
                    break;
                }
                parts.addFirst(str.slice(at, to));
                to = Chars.stripRight(text.substring(0, at)).length();
            } else {
                if (separator.isEmpty()) {
                    throw new Failure("rsplit() needs a separator that is not empty");
                }
                at = text.lastIndexOf(separator.text(), to - separator.length());
                if (at < 0 || to < separator.length()) {
                    break;
                }
                parts.addFirst(str.slice(at + separator.length(), to));
                to = at;
            }
            budget.elements(1);
            budget.scan(to);
        }
        int from = separator == null ? Chars.skipSpace(text, 0) : 0;
        if (separator != null || from < to) {
            parts.addFirst(str.slice(from, to));
        }
        return parts;
    }

    static List<Value> lines(Str str, boolean keepEnds, Budget budget) {
        budget.characters(str.length());
        List<Value> lines = new ArrayList<>();
        String text = str.text();
        int from = 0;
        while (from < text.length()) {
            int to = from;
            while (to < text.length() && !Chars.isLineEnd(text.charAt(to))) {
                to++;
            }
            int next = to < text.length() ? to + (text.startsWith("\r\n", to) ? 2 : 1) : to;
            budget.elements(1);
            lines.add(str.slice(from, keepEnds ? next : to));
            from = next;
        }
        return lines;
    }

    /** Replaces up to {@code max} finds, all when it is negative. */
    static Str replace(Str str, Str find, Str by, int max, Budget budget) {
        String text = str.text();
        StrBuilder out = new StrBuilder(budget);
        budget.scan(text.length());
        int kept = 0;
        int count = 0;
        if (find.isEmpty()) {
            while (kept <= text.length() && (max < 0 || count < max)) {
                out.add(by);
                count++;
                if (kept == text.length()) {
                    return out.build();
                }
                int next = text.offsetByCodePoints(kept, 1);
                out.add(str, kept, next);
                kept = next;
            }
        } else {
            for (int at = text.indexOf(find.text());
                    at >= 0 && (max < 0 || count < max);
                    at = text.indexOf(find.text(), kept)) {
                out.add(str, kept, at).add(by);
                kept = at + find.length();
                count++;
            }
            if (count == 0) {
                return str;
            }
        }
        return out.add(str, kept, text.length()).build();
    }

    static Str join(Str separator, Iterable<Str> parts, Budget budget) {
        StrBuilder out = new StrBuilder(budget);
        boolean first = true;
        for (Str part : parts) {
            if (!first) {
                out.add(separator);
            }
            out.add(part);
            first = false;
        }
        return out.build();
    }

    /** Changes letters, run by run. */
    static Str map(Str str, UnaryOperator<String> change, Budget budget) {
        budget.characters(str.length());
        StrBuilder out = new StrBuilder(budget);
        str.runs().forEach(run -> out.add(change.apply(run.text()), run.trusted()));
        return out.build();
    }

    static Str upper(Str str, Budget budget) {
        return map(str, text -> text.toUpperCase(Locale.ROOT), budget);
    }

    static Str lower(Str str, Budget budget) {
        return map(str, text -> text.toLowerCase(Locale.ROOT), budget);
    }

    static Str capitalize(Str str, Budget budget) {
        if (str.isEmpty()) {
            return str;
        }
        int first = str.offset(1);
        return new StrBuilder(budget)
                .add(map(str.slice(0, first), Strings::titleCase, budget))
                .add(lower(str.slice(first, str.length()), budget))
                .build();
    }

    private static String titleCase(String text) {
        return text.codePoints()
                .mapToObj(c -> c == 'ß' ? "Ss" : Character.toString(Character.toTitleCase(c)))
                .reduce("", String::concat);
    }

    /** A capital at the start of every run of letters ({@code between} tells what separates them). */
    static Str title(Str str, IntPredicate between, Budget budget) {
        budget.characters(str.length());
        StrBuilder out = new StrBuilder(budget);
        boolean start = true;
        int at = 0;
        while (at < str.length()) {
            int c = str.text().codePointAt(at);
            int next = at + Character.charCount(c);
            String one = str.text().substring(at, next);
            out.add(start ? titleCase(one) : one.toLowerCase(Locale.ROOT), str.trustedAt(at));
            start = between.test(c);
            at = next;
        }
        return out.build();
    }

    static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    /** All letters of one case, and at least one letter. */
    static boolean isCase(Str str, boolean upper) {
        IntPredicate wrong = upper
                ? c -> Character.isLowerCase(c) || Character.isTitleCase(c)
                : c -> Character.isUpperCase(c) || Character.isTitleCase(c);
        return str.text().codePoints().anyMatch(Strings::isCased)
                && str.text().codePoints().noneMatch(wrong);
    }

    static boolean all(Str str, IntPredicate what) {
        return !str.isEmpty() && str.text().codePoints().allMatch(what);
    }

    /** Fills up to a width, on the left, on the right, or on both sides as str.center does. */
    static Str pad(Str str, int width, Str fill, boolean left, boolean right, Budget budget) {
        if (fill.codePoints() != 1) {
            throw new Failure("the fill must be exactly one character");
        }
        int missing = width - str.codePoints();
        if (missing <= 0) {
            return str;
        }
        budget.longest(width);
        int before = left && right ? missing / 2 + (missing & width & 1) : left ? missing : 0;
        StrBuilder out = new StrBuilder(budget);
        for (int i = 0; i < before; i++) {
            out.add(fill);
        }
        out.add(str);
        for (int i = before; i < missing; i++) {
            out.add(fill);
        }
        return out.build();
    }

    static Str reverse(Str str, Budget budget) {
        StrBuilder out = new StrBuilder(budget);
        for (int end = str.length(); end > 0; ) {
            int from = str.text().offsetByCodePoints(end, -1);
            out.add(str, from, end);
            end = from;
        }
        return out.build();
    }
}
