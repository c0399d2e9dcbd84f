// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads regular expressions in the syntax that Java, ECMAScript and Python share: characters, classes, groups,
 * alternatives, counts, {@code ^} at the beginning and {@code $} at the end. What looks around, refers back or depends
 * on flags is refused. {@code \d}, {@code \w} and {@code \s} are ASCII.
 */
final class RegexParser {
    private static final int MAX_DEPTH = 100;
    private static final int MAX_LENGTH = 10_000;

    private final String text;
    private int at;
    private int depth;

    /** A pattern, and whether it is fastened at its ends. */
    record Pattern(Regex regex, boolean begins, boolean ends) {}

    private RegexParser(String text) {
        this.text = text;
    }

    /**
     * Reads a whole pattern.
     *
     * @throws IllegalArgumentException with the offset of what is wrong or unsupported
     */
    static Pattern parse(String text) {
        if (text.length() > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "the pattern has " + text.length() + " characters; at most " + MAX_LENGTH + " are allowed");
        }
        RegexParser parser = new RegexParser(text);
        boolean begins = parser.take("^");
        Regex regex = parser.choice();
        boolean ends = parser.take("$");
        if (parser.at < text.length()) {
            throw parser.wrong(parser.peek() == ')' ? "a ) without its (" : "^ and $ may stand at its ends only");
        }
        if ((begins || ends) && regex instanceof Regex.Choice) {
            throw parser.wrong("^ and $ belong to one alternative only here; put the alternatives into (?: )");
        }
        return new Pattern(regex, begins, ends);
    }

    private IllegalArgumentException wrong(String reason) {
        return new IllegalArgumentException("the pattern can't be used, at offset " + at + ": " + reason);
    }

    private boolean atEnd() {
        return at >= text.length();
    }

    private int peek() {
        return atEnd() ? -1 : text.codePointAt(at);
    }

    private int next() {
        if (atEnd()) {
            throw wrong("it ends too early");
        }
        int c = text.codePointAt(at);
        if (c >= 0xD800 && c <= 0xDFFF) {
            throw wrong("half a surrogate pair stands alone");
        }
        at += Character.charCount(c);
        return c;
    }

    private boolean take(String word) {
        boolean there = text.startsWith(word, at);
        at += there ? word.length() : 0;
        return there;
    }

    private Regex choice() {
        List<Regex> parts = new ArrayList<>();
        do {
            parts.add(sequence());
        } while (take("|"));
        return parts.size() == 1 ? parts.getFirst() : new Regex.Choice(List.copyOf(parts));
    }

    private Regex sequence() {
        List<Regex> parts = new ArrayList<>();
        while (!atEnd() && peek() != '|' && peek() != ')' && peek() != '$') {
            parts.add(counted(atom()));
        }
        return new Regex.Sequence(List.copyOf(parts));
    }

    private Regex atom() {
        if (take("(")) {
            return group();
        }
        if (take("[")) {
            return chars(members());
        }
        if (take(".")) {
            return chars(CharSet.negated(List.of(new Regex.Range('\n', '\n'), new Regex.Range('\r', '\r'))));
        }
        if (take("\\")) {
            return chars(escape());
        }
        if ("*+?{".indexOf(peek()) >= 0) {
            throw wrong("there is nothing to repeat");
        }
        if (peek() == '^') {
            throw wrong("^ and $ may stand at its ends only");
        }
        return chars(CharSet.one(next()));
    }

    private Regex chars(List<Regex.Range> ranges) {
        if (ranges.isEmpty()) {
            throw wrong("a class holds no character");
        }
        return new Regex.Chars(ranges);
    }

    private Regex group() {
        if (peek() == '?' && !take("?:")) {
            throw wrong("of the groups that begin with ? only (?: is supported");
        }
        if (++depth > MAX_DEPTH) {
            throw wrong("its groups are nested too deep");
        }
        Regex inner = choice();
        depth--;
        if (!take(")")) {
            throw wrong(peek() == '$' ? "^ and $ may stand at its ends only" : "a group is not closed");
        }
        return inner;
    }

    private Regex counted(Regex part) {
        int begin = at;
        int least = 0;
        int most = -1;
        if (take("+")) {
            least = 1;
        } else if (take("?")) {
            most = 1;
        } else if (take("{")) {
            least = number();
            most = least;
            if (take(",")) {
                most = peek() == '}' ? -1 : number();
            }
            if (!take("}")) {
                throw wrong("a count is not closed");
            }
            if (most >= 0 && most < least) {
                throw wrong("a count's limits are the wrong way round");
            }
        } else if (!take("*")) {
            return part;
        }
        take("?"); // a reluctant one means the same texts
        if (at > begin && ("*+{".indexOf(peek()) >= 0)) {
            throw wrong("a repetition is repeated, or possessive");
        }
        return new Regex.Repeat(part, least, most);
    }

    private int number() {
        int begin = at;
        while (peek() >= '0' && peek() <= '9' && at - begin < 6) {
            at++;
        }
        if (at == begin) {
            throw wrong("a count needs a number; a brace that is meant as text is \\{");
        }
        return Integer.parseInt(text.substring(begin, at));
    }

    /** After a backslash, outside and inside of classes. */
    private List<Regex.Range> escape() {
        int c = next();
        return switch (c) {
            case 'd' -> CharSet.DIGITS;
            case 'D' -> CharSet.negated(CharSet.DIGITS);
            case 'w' -> CharSet.WORD;
            case 'W' -> CharSet.negated(CharSet.WORD);
            case 's' -> CharSet.SPACE;
            case 'S' -> CharSet.negated(CharSet.SPACE);
            case 'n' -> CharSet.one('\n');
            case 'r' -> CharSet.one('\r');
            case 't' -> CharSet.one('\t');
            case 'f' -> CharSet.one('\f');
            case 'v' -> CharSet.one(0x0B);
            case 'x' -> CharSet.one(hex(2));
            case 'u' -> CharSet.one(utf16());
            default -> {
                if (c < 0x80 && Character.isLetterOrDigit(c)) {
                    throw wrong("the escape \\" + (char) c + " is not supported");
                }
                yield CharSet.one(c);
            }
        };
    }

    private int utf16() {
        int c = hex(4);
        if (Character.isHighSurrogate((char) c) && take("\\u")) {
            int low = hex(4);
            if (Character.isLowSurrogate((char) low)) {
                return Character.toCodePoint((char) c, (char) low);
            }
        }
        if (c >= 0xD800 && c <= 0xDFFF) {
            throw wrong("half a surrogate pair stands alone");
        }
        return c;
    }

    private int hex(int digits) {
        if (at + digits > text.length()) {
            throw wrong(digits + " hexadecimal digits are needed");
        }
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = Character.digit(text.charAt(at + i), 16);
            if (digit < 0) {
                throw wrong(digits + " hexadecimal digits are needed");
            }
            value = value * 16 + digit;
        }
        at += digits;
        return value;
    }

    private List<Regex.Range> members() {
        List<Regex.Range> all = new ArrayList<>();
        boolean negated = take("^");
        while (!take("]")) {
            if (take("[")) {
                throw wrong("a [ inside of a class must be escaped");
            }
            if (text.startsWith("&&", at)) {
                throw wrong("intersections of classes are not supported");
            }
            List<Regex.Range> first = member();
            if (peek() == '-' && at + 1 < text.length() && text.charAt(at + 1) != ']') {
                at++;
                List<Regex.Range> last = member();
                int low = single(first);
                int high = single(last);
                if (low < 0 || high < low) {
                    throw wrong("a range is none");
                }
                all.add(new Regex.Range(low, high));
            } else {
                all.addAll(first);
            }
        }
        return negated ? CharSet.negated(all) : CharSet.normal(all);
    }

    private List<Regex.Range> member() {
        if (!take("\\")) {
            return CharSet.one(next());
        }
        return take("b") ? CharSet.one('\b') : escape();
    }

    private static int single(List<Regex.Range> ranges) {
        boolean one = ranges.size() == 1
                && ranges.getFirst().first() == ranges.getFirst().last();
        return one ? ranges.getFirst().first() : -1;
    }
}
