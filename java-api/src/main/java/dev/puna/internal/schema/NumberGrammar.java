// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Numbers between bounds, digit by digit. */
final class NumberGrammar {
    /** Whole numbers without a bound have at most so many digits: they fit a long, and no model runs on in zeros. */
    private static final int DIGITS = 18;

    static final String INTEGER = "(\"0\" | \"-\"? [1-9] [0-9]{0," + (DIGITS - 1) + "})";
    static final String NUMBER =
            "\"-\"? (\"0\" | [1-9] [0-9]{0," + (DIGITS - 1) + "}) (\".\" [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?";

    private NumberGrammar() {}

    /**
     * Bounds; null: none.
     *
     * @param low the least whole number
     * @param high the greatest
     * @param aboveLow whether a number must be above low, not low itself; of fractions only
     * @param belowHigh likewise
     */
    record Bounds(@Nullable BigInteger low, @Nullable BigInteger high, boolean aboveLow, boolean belowHigh) {}

    /** Whole numbers from low to high. */
    static String integers(Bounds b) {
        List<String> ways = new ArrayList<>();
        BigInteger zero = BigInteger.ZERO;
        if (b.low == null || b.low.signum() < 0) {
            BigInteger least = b.high == null || b.high.signum() >= 0 ? BigInteger.ONE : b.high.negate();
            BigInteger most = b.low == null ? top(least) : b.low.negate();
            ways.add("\"-\" " + range(least, most));
        }
        if (b.high == null || b.high.signum() >= 0) {
            BigInteger least = b.low == null ? zero : b.low.max(zero);
            ways.add(range(least, b.high == null ? top(least) : b.high));
        }
        return choice(ways);
    }

    /** Numbers with or without a fraction; no exponents. */
    static String numbers(Bounds b) {
        List<String> ways = new ArrayList<>();
        BigInteger zero = BigInteger.ZERO;
        if (b.low == null || b.low.signum() < 0) {
            boolean reaches = b.high == null || b.high.signum() > 0 || (b.high.signum() == 0 && !b.belowHigh);
            BigInteger least = b.high == null ? zero : b.high.negate().max(zero);
            BigInteger most = b.low == null ? top(least) : b.low.negate();
            ways.add("\"-\" " + magnitudes(least, most, !reaches && b.belowHigh, b.low != null && b.aboveLow));
        }
        if (b.high == null || b.high.signum() > 0 || (b.high.signum() == 0 && !b.belowHigh)) {
            BigInteger least = b.low == null ? zero : b.low.max(zero);
            BigInteger most = b.high == null ? top(least) : b.high;
            boolean above = b.aboveLow && b.low != null && b.low.signum() >= 0;
            ways.add(magnitudes(least, most, above, b.high != null && b.belowHigh));
        }
        return choice(ways);
    }

    /** Numbers of the whole part from least to most, most itself with zeros alone behind its point. */
    private static String magnitudes(BigInteger least, BigInteger most, boolean above, boolean below) {
        List<String> ways = new ArrayList<>();
        BigInteger first = least;
        if (above && least.compareTo(most) < 0) {
            ways.add(GrammarText.quoted(least + ".") + " \"0\"{0,15} [1-9] [0-9]{0,15}");
            first = least.add(BigInteger.ONE);
        }
        if (first.compareTo(most) < 0) {
            ways.add(range(first, most.subtract(BigInteger.ONE)) + " (\".\" [0-9]{1,16})?");
        }
        if (!below && (!above || least.compareTo(most) < 0)) {
            ways.add(GrammarText.quoted(most.toString()) + " (\".\" \"0\"{1,4})?");
        }
        return choice(ways);
    }

    private static String choice(List<String> ways) {
        if (ways.isEmpty()) {
            throw new IllegalArgumentException("no number lies between its bounds");
        }
        return ways.size() == 1 ? ways.getFirst() : "(" + String.join(" | ", ways) + ")";
    }

    /** Where no upper bound is given. */
    private static BigInteger top(BigInteger least) {
        int digits = Math.max(DIGITS, least.toString().length() + 1);
        return BigInteger.TEN.pow(digits).subtract(BigInteger.ONE);
    }

    /** Whole numbers from least to most, neither below zero. */
    private static String range(BigInteger least, BigInteger most) {
        if (least.compareTo(most) > 0) {
            throw new IllegalArgumentException("no number lies between its bounds");
        }
        List<String> ways = new ArrayList<>();
        String low = least.toString();
        String high = most.toString();
        for (int length = low.length(); length <= high.length(); length++) {
            String from = length == low.length() ? low : "1" + "0".repeat(length - 1);
            String to = length == high.length() ? high : "9".repeat(length);
            ways.add(sameLength(from, to));
        }
        return choice(ways);
    }

    private static String sameLength(String from, String to) {
        int rest = from.length() - 1;
        char low = from.charAt(0);
        char high = to.charAt(0);
        if (rest == 0) {
            return digits(low, high);
        }
        String fromRest = from.substring(1);
        String toRest = to.substring(1);
        if (low == high) {
            return digits(low, high) + " " + sameLength(fromRest, toRest);
        }
        List<String> ways = new ArrayList<>();
        if (!fromRest.equals("0".repeat(rest))) {
            ways.add(digits(low, low) + " " + sameLength(fromRest, "9".repeat(rest)));
            low++;
        }
        boolean whole = toRest.equals("9".repeat(rest));
        char last = (char) (whole ? high : high - 1);
        if (low <= last) {
            ways.add(digits(low, last) + " [0-9]{" + rest + "}");
        }
        if (!whole) {
            ways.add(digits(high, high) + " " + sameLength("0".repeat(rest), toRest));
        }
        return choice(ways);
    }

    private static String digits(char low, char high) {
        return low == high ? "\"" + low + "\"" : "[" + low + "-" + high + "]";
    }
}
