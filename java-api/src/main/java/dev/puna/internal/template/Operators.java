// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Value.Bool;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Flt;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.Kind;
import dev.puna.internal.template.Value.Seq;
import dev.puna.internal.template.Value.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's operators on values. */
final class Operators {
    static final int MAX_BITS = 4096;

    private Operators() {}

    // ---- equality and order

    /** Equality of what may be a key: numbers, texts and flat tuples of them; nothing here can take long. */
    @SuppressWarnings("ReferenceEquality") // the same value needs no look inside
    static boolean equal(Value a, Value b) {
        if (a == b) {
            return !isNaN(a);
        }
        if (isNumber(a) && isNumber(b)) {
            if (a instanceof Flt || b instanceof Flt) {
                return compareNumbers(a, b) == 0 && !isNaN(a) && !isNaN(b);
            }
            return whole(a).equals(whole(b));
        }
        if (a instanceof Seq left && b instanceof Seq right) {
            return sameKind(left, right) && left.items().equals(right.items());
        }
        if (a instanceof Str || a instanceof Undefined) {
            return a.equals(b);
        }
        return false;
    }

    private static boolean sameKind(Seq a, Seq b) {
        return a.kind() == b.kind() || (a.kind().tuple() && b.kind().tuple());
    }

    /** Equality of any values, within the budget: a short template can build large ones. */
    @SuppressWarnings("ReferenceEquality") // the same value needs no look inside
    static boolean equal(Value a, Value b, Budget budget) {
        budget.step();
        if (a instanceof Str left && b instanceof Str right) {
            budget.scan(Math.min(left.length(), right.length()));
            return left.equals(right);
        }
        if (a == b || !(a instanceof Seq || a instanceof Dict)) {
            return equal(a, b);
        }
        budget.enter();
        boolean same = false;
        if (a instanceof Seq left && b instanceof Seq right) {
            same = sameKind(left, right) && equal(left.items(), right.items(), budget);
        } else if (a instanceof Dict left && b instanceof Dict right) {
            same = equal(left, right, budget);
        }
        budget.leave();
        return same;
    }

    static boolean equal(List<Value> a, List<Value> b, Budget budget) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!equal(a.get(i), b.get(i), budget)) {
                return false;
            }
        }
        return true;
    }

    private static boolean equal(Dict a, Dict b, Budget budget) {
        if (a.entries().size() != b.entries().size()) {
            return false;
        }
        for (Map.Entry<Value, Value> entry : a.entries().entrySet()) {
            Value other = lookup(b, entry.getKey(), budget);
            if (other == null || !equal(entry.getValue(), other, budget)) {
                return false;
            }
        }
        return true;
    }

    /** A dict's value, null without one; the key's length counts. */
    static @Nullable Value lookup(Dict dict, Value key, Budget budget) {
        Values.key(key, budget);
        return dict.entries().get(key);
    }

    static boolean isNumber(Value value) {
        return value instanceof Int || value instanceof Flt || value instanceof Bool;
    }

    private static boolean isNaN(Value value) {
        return value instanceof Flt number && Double.isNaN(number.value());
    }

    static BigInteger whole(Value value) {
        return switch (value) {
            case Int number -> number.value();
            case Bool flag -> flag.value() ? BigInteger.ONE : BigInteger.ZERO;
            default -> throw new Failure("a whole number expected, not " + Values.typeName(Values.defined(value)));
        };
    }

    static double real(Value value) {
        return value instanceof Flt number ? number.value() : whole(value).doubleValue();
    }

    private static int compareNumbers(Value a, Value b) {
        if (!(a instanceof Flt) && !(b instanceof Flt)) {
            return whole(a).compareTo(whole(b));
        }
        double left = real(a);
        double right = real(b);
        if (Double.isInfinite(left) || Double.isInfinite(right) || Double.isNaN(left) || Double.isNaN(right)) {
            return left == right ? 0 : left < right ? -1 : 1;
        }
        return decimal(a).compareTo(decimal(b));
    }

    private static BigDecimal decimal(Value value) {
        return value instanceof Flt number ? new BigDecimal(number.value()) : new BigDecimal(whole(value));
    }

    /** The order of two values that have one. */
    static int compare(Value a, Value b, Budget budget) {
        budget.step();
        Values.defined(a);
        Values.defined(b);
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b);
        }
        if (a instanceof Str left && b instanceof Str right) {
            budget.scan(Math.min(left.length(), right.length()));
            return left.compareTo(right);
        }
        if (a instanceof Seq left && b instanceof Seq right && sameKind(left, right)) {
            budget.enter();
            int shared = Math.min(left.items().size(), right.items().size());
            for (int i = 0; i < shared; i++) {
                if (!equal(left.items().get(i), right.items().get(i), budget)) {
                    int order = compare(left.items().get(i), right.items().get(i), budget);
                    budget.leave();
                    return order;
                }
            }
            budget.leave();
            return Integer.compare(left.items().size(), right.items().size());
        }
        throw new Failure("values of types " + Values.typeName(a) + " and " + Values.typeName(b) + " have no order");
    }

    static boolean compare(String operator, Value a, Value b, Budget budget) {
        return switch (operator) {
            case "==" -> equal(a, b, budget);
            case "!=" -> !equal(a, b, budget);
            case "in" -> contains(b, a, budget);
            case "not in" -> !contains(b, a, budget);
            default -> {
                int order = compare(a, b, budget);
                if (isNaN(a) || isNaN(b)) {
                    yield false;
                }
                yield switch (operator) {
                    case "<" -> order < 0;
                    case "<=" -> order <= 0;
                    case ">" -> order > 0;
                    default -> order >= 0;
                };
            }
        };
    }

    static boolean contains(Value container, Value value, Budget budget) {
        if (container instanceof Str text) {
            if (value instanceof Str part) {
                budget.scan(text.length());
                return text.text().contains(part.text());
            }
            throw new Failure(
                    "only a text can be in a text, not a value of type " + Values.typeName(Values.defined(value)));
        }
        if (container instanceof Dict dict) {
            return lookup(dict, value, budget) != null;
        }
        if (!Values.iterable(container)) {
            throw new Failure("nothing can be in a value of type " + Values.typeName(container));
        }
        Iterator<Value> elements = Values.iterate(container);
        while (elements.hasNext()) {
            budget.step();
            if (equal(elements.next(), value, budget)) {
                return true;
            }
        }
        return false;
    }

    // ---- arithmetic

    static Value apply(String operator, Value a, Value b, Interpreter interpreter) {
        Values.defined(a);
        Values.defined(b);
        Budget budget = interpreter.budget();
        if (isNumber(a) && isNumber(b)) {
            return a instanceof Flt || b instanceof Flt
                    ? new Flt(reals(operator, real(a), real(b)))
                    : wholes(operator, whole(a), whole(b));
        }
        @Nullable
        Value result = switch (operator) {
            case "+" -> add(a, b, budget);
            case "*" -> b instanceof Int || b instanceof Bool ? repeat(a, b, budget) : repeat(b, a, budget);
            case "%" -> a instanceof Str format ? Formats.percent(format, b, interpreter) : null;
            default -> null;
        };
        if (result == null) {
            throw new Failure("'" + operator + "' does not work on values of types " + Values.typeName(a) + " and "
                    + Values.typeName(b));
        }
        return result;
    }

    private static @Nullable Value add(Value a, Value b, Budget budget) {
        if (a instanceof Str left && b instanceof Str right) {
            boolean markup = left.markup() || right.markup();
            return new StrBuilder(budget)
                    .add(markup ? TextFilters.escape(left, budget) : left)
                    .add(markup ? TextFilters.escape(right, budget) : right)
                    .build()
                    .asMarkup(markup);
        }
        if (a instanceof Seq left && b instanceof Seq right) {
            boolean lists = left.kind() == Kind.LIST && right.kind() == Kind.LIST;
            if (lists || (left.kind().tuple() && right.kind().tuple())) {
                budget.elements(left.items().size() + (long) right.items().size());
                List<Value> items = new ArrayList<>(left.items());
                items.addAll(right.items());
                return new Seq(lists ? Kind.LIST : Kind.TUPLE, items, left.trusted() && right.trusted());
            }
        }
        return null;
    }

    private static @Nullable Value repeat(Value value, Value times, Budget budget) {
        if (!(times instanceof Int || times instanceof Bool)) {
            return null;
        }
        int count = Math.max(0, Values.integer(times, "'*'"));
        if (value instanceof Str text) {
            budget.longest(Math.multiplyExact((long) text.length(), (long) count));
            StrBuilder out = new StrBuilder(budget);
            for (int i = 0; i < count && !text.isEmpty(); i++) {
                out.add(text);
            }
            return out.build().asMarkup(text.markup());
        }
        if (value instanceof Seq seq && (seq.kind() == Kind.LIST || seq.kind().tuple())) {
            budget.elements((long) seq.items().size() * count);
            List<Value> items = new ArrayList<>();
            for (int i = 0; i < count && !seq.items().isEmpty(); i++) {
                items.addAll(seq.items());
            }
            return new Seq(seq.kind() == Kind.LIST ? Kind.LIST : Kind.TUPLE, items, seq.trusted());
        }
        return null;
    }

    private static Value wholes(String operator, BigInteger a, BigInteger b) {
        return switch (operator) {
            case "+" -> limited(a.add(b));
            case "-" -> limited(a.subtract(b));
            case "*" -> limited(a.multiply(b));
            case "/" -> {
                nonZero(b.signum() != 0);
                yield new Flt(quotient(a, b));
            }
            case "//" -> {
                nonZero(b.signum() != 0);
                BigInteger[] parts = a.divideAndRemainder(b);
                boolean down = parts[1].signum() != 0 && parts[1].signum() != b.signum();
                yield new Int(down ? parts[0].subtract(BigInteger.ONE) : parts[0]);
            }
            case "%" -> {
                nonZero(b.signum() != 0);
                BigInteger rest = a.remainder(b);
                yield new Int(rest.signum() != 0 && rest.signum() != b.signum() ? rest.add(b) : rest);
            }
            default -> power(a, b);
        };
    }

    private static double quotient(BigInteger a, BigInteger b) {
        if (a.bitLength() <= 53 && b.bitLength() <= 53) {
            return a.doubleValue() / b.doubleValue();
        }
        double value = new BigDecimal(a)
                .divide(new BigDecimal(b), new java.math.MathContext(40))
                .doubleValue();
        if (Double.isInfinite(value)) {
            throw new Failure("the quotient is too large for a float");
        }
        return value;
    }

    private static Value power(BigInteger base, BigInteger exponent) {
        if (exponent.signum() < 0) {
            nonZero(base.signum() != 0);
            return new Flt(Math.pow(base.doubleValue(), exponent.doubleValue()));
        }
        boolean unit = base.bitLength() <= 1 && !base.equals(BigInteger.TWO.negate());
        if (!unit && (exponent.bitLength() > 30 || (long) base.bitLength() * exponent.intValue() > MAX_BITS)) {
            throw new Failure("a number of more than " + MAX_BITS + " bits");
        }
        if (unit) {
            boolean even = !exponent.testBit(0);
            return new Int(exponent.signum() == 0 || (even && base.signum() != 0) ? BigInteger.ONE : base);
        }
        return new Int(base.pow(exponent.intValue()));
    }

    private static Int limited(BigInteger number) {
        if (number.bitLength() > MAX_BITS) {
            throw new Failure("a number of more than " + MAX_BITS + " bits");
        }
        return new Int(number);
    }

    private static double reals(String operator, double a, double b) {
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> {
                nonZero(b != 0);
                yield a / b;
            }
            case "//" -> {
                nonZero(b != 0);
                yield Math.floor((a - modulo(a, b)) / b + 0.5);
            }
            case "%" -> {
                nonZero(b != 0);
                yield modulo(a, b);
            }
            default -> {
                nonZero(a != 0 || b >= 0);
                yield Math.pow(a, b);
            }
        };
    }

    private static double modulo(double a, double b) {
        double rest = a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest == 0 ? Math.copySign(0.0, b) : rest;
    }

    private static void nonZero(boolean fine) {
        if (!fine) {
            throw new Failure("division by zero");
        }
    }

    static Value negate(Value value, char operator) {
        if (value instanceof Flt number) {
            return operator == '-' ? new Flt(-number.value()) : number;
        }
        if (!isNumber(Values.defined(value))) {
            throw new Failure("'" + operator + "' does not work on a value of type " + Values.typeName(value));
        }
        return new Int(operator == '-' ? whole(value).negate() : whole(value));
    }
}
