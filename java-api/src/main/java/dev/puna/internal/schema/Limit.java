// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A bound of numbers; {@code exclusive}: the bound itself is outside. */
record Limit(BigDecimal value, boolean exclusive, String word) {
    private static final BigDecimal MOST = BigDecimal.TEN.pow(30);

    /** The tighter of two keywords, null where neither is there. */
    static @Nullable Limit of(Map<?, ?> map, String inclusive, String exclusive, boolean low, String pointer) {
        return tighter(one(map, inclusive, false, pointer), one(map, exclusive, true, pointer), low);
    }

    /** The tighter of two, of which either may be null. */
    static @Nullable Limit tighter(@Nullable Limit a, @Nullable Limit b, boolean low) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        int order = a.value.compareTo(b.value);
        boolean first = low ? order > 0 : order < 0;
        return first ? a : b;
    }

    private static @Nullable Limit one(Map<?, ?> map, String word, boolean exclusive, String pointer) {
        Object value = map.get(word);
        if (value == null) {
            return null;
        }
        if (!(value instanceof BigDecimal number) || number.abs().compareTo(MOST) > 0) {
            throw new IllegalArgumentException("the schema can't be used, at " + pointer + "/" + word
                    + ": a number of at most 30 digits is needed");
        }
        return new Limit(number, exclusive, word);
    }

    /** The least whole number above or at it. */
    BigInteger wholeFrom() {
        BigInteger up = value.setScale(0, RoundingMode.CEILING).toBigInteger();
        return exclusive && new BigDecimal(up).compareTo(value) == 0 ? up.add(BigInteger.ONE) : up;
    }

    /** The greatest whole number below or at it. */
    BigInteger wholeTo() {
        BigInteger down = value.setScale(0, RoundingMode.FLOOR).toBigInteger();
        return exclusive && new BigDecimal(down).compareTo(value) == 0 ? down.subtract(BigInteger.ONE) : down;
    }

    /** It, as a whole number. */
    BigInteger exact(String pointer) {
        if (value.stripTrailingZeros().scale() > 0) {
            throw new IllegalArgumentException("the schema can't be used, at " + pointer + "/" + word
                    + ": numbers with fractions can be bounded by whole numbers only, not by " + value);
        }
        return value.toBigIntegerExact();
    }
}
