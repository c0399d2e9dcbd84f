// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Python's int() and float() of a text; null when it is none. */
final class Numbers {
    private static final Pattern FLOAT = Pattern.compile("[+-]?(?:\\d++\\.?+\\d*+|\\.\\d++)(?:[eE][+-]?\\d++)?+");
    private static final Pattern LONE_UNDERSCORE = Pattern.compile("(?<!\\d)_|_(?!\\d)");
    private static final int MAX_LENGTH = 1000;

    private Numbers() {}

    static @Nullable BigInteger parseInt(String text, int base) {
        String digits = Chars.strip(text);
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        String prefix = digits.length() > 2 ? digits.substring(0, 2).toLowerCase(Locale.ROOT) : "";
        int named = switch (prefix) {
            case "0x" -> 16;
            case "0o" -> 8;
            case "0b" -> 2;
            default -> 0;
        };
        int radix = base == 0 ? (named == 0 ? 10 : named) : base;
        if (named != 0 && named == radix) {
            digits = digits.substring(digits.charAt(2) == '_' ? 3 : 2);
        }
        boolean shaped =
                !digits.isEmpty() && !digits.startsWith("_") && !digits.endsWith("_") && !digits.contains("__");
        if (!shaped || digits.length() > MAX_LENGTH || radix < 2 || radix > 36) {
            return null;
        }
        digits = digits.replace("_", "");
        for (int i = 0; i < digits.length(); i++) {
            if (Character.digit(digits.charAt(i), radix) < 0) {
                return null;
            }
        }
        BigInteger value = new BigInteger(digits, radix);
        return negative ? value.negate() : value;
    }

    static @Nullable Double parseFloat(String text) {
        String plain = Chars.strip(text);
        if (plain.length() > MAX_LENGTH) {
            return null;
        }
        String digits = plain.replace("_", "");
        if (!LONE_UNDERSCORE.matcher(plain).find() && FLOAT.matcher(digits).matches()) {
            return Double.valueOf(digits);
        }
        String word = plain.toLowerCase(Locale.ROOT);
        double sign = word.startsWith("-") ? -1 : 1;
        return switch (word.startsWith("-") || word.startsWith("+") ? word.substring(1) : word) {
            case "inf", "infinity" -> sign * Double.POSITIVE_INFINITY;
            case "nan" -> Double.NaN;
            default -> null;
        };
    }
}
