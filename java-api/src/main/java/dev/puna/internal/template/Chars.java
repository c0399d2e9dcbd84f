// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

/** Characters as Python's str sees them. */
final class Chars {
    private Chars() {}

    static boolean isSpace(int c) {
        return (c >= 9 && c <= 13)
                || (c >= 28 && c <= 32)
                || c == 0x85
                || c == 0xA0
                || c == 0x1680
                || (c >= 0x2000 && c <= 0x200A)
                || c == 0x2028
                || c == 0x2029
                || c == 0x202F
                || c == 0x205F
                || c == 0x3000;
    }

    /** True for a text of whitespace alone, at least one. */
    static boolean isSpace(String text) {
        return !text.isEmpty() && text.chars().allMatch(Chars::isSpace);
    }

    static boolean isLineEnd(int c) {
        return (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    /** What repr() shows as itself. */
    static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    static int skipSpace(String text, int from) {
        int at = from;
        while (at < text.length() && isSpace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    static String stripRight(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    static String strip(String text) {
        String left = stripRight(text);
        return left.substring(skipSpace(left, 0));
    }

    /** An ASCII digit's value, -1 for anything else. */
    static int digit(char c, int radix) {
        return c < 128 ? Character.digit(c, radix) : -1;
    }
}
