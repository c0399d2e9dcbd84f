// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Flt;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.None;
import dev.puna.internal.template.Value.Seq;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;

/** {@code text % values} and {@code text.format(values)}. The pattern's own text and each value keep their origins. */
final class Formats {
    private static final int MAX_WIDTH = 100_000;
    private static final int MAX_PRECISION = 1000;

    /** How one value is to be written; {@code align} 0 and {@code precision} -1 mean "not said". */
    private record Spec(
            String fill, char align, char sign, boolean alternate, int width, char group, int precision, char type) {}

    private Formats() {}

    // ---- '%'

    static Value percent(Str format, Value values, Interpreter in) {
        if (format.markup()) {
            Value escaped = TextFilters.escapeAll(values, in.budget());
            return ((Str) percent(format.asMarkup(false), escaped, in)).asMarkup(true);
        }
        StrBuilder out = new StrBuilder(in.budget());
        String text = format.text();
        List<Value> given = values instanceof Seq seq && seq.kind().tuple() ? seq.items() : List.of(values);
        int used = 0;
        boolean named = false;
        int kept = 0;
        for (int at = text.indexOf('%'); at >= 0; at = text.indexOf('%', kept)) {
            in.budget().step();
            out.add(format, kept, at);
            int i = at + 1;
            Value value = null;
            if (text.startsWith("(", i)) {
                int end = text.indexOf(')', i);
                if (end < 0 || !(values instanceof Dict dict)) {
                    throw new Failure("'%(name)' needs a dict of values");
                }
                value = dict.get(text.substring(i + 1, end));
                if (value == null) {
                    throw new Failure("'%' finds no value for '" + text.substring(i + 1, end) + "'");
                }
                named = true;
                i = end + 1;
            }
            boolean left = false;
            boolean zero = false;
            boolean alternate = false;
            char sign = '-';
            for (; i < text.length() && "-+ 0#".indexOf(text.charAt(i)) >= 0; i++) {
                switch (text.charAt(i)) {
                    case '-' -> left = true;
                    case '0' -> zero = true;
                    case '#' -> alternate = true;
                    case '+' -> sign = '+';
                    default -> sign = sign == '+' ? '+' : ' ';
                }
            }
            int widthEnd = digits(text, i);
            int width = number(text, i, widthEnd, 0);
            i = widthEnd;
            int precision = -1;
            if (text.startsWith(".", i)) {
                int end = digits(text, i + 1);
                precision = precision(number(text, i + 1, end, 0));
                i = end;
            }
            while (i < text.length() && "hlL".indexOf(text.charAt(i)) >= 0) {
                i++;
            }
            if (i >= text.length()) {
                throw new Failure("'%' at the end of a format");
            }
            char type = text.charAt(i);
            kept = i + 1;
            if (type == '%') {
                out.add(format, i, i + 1);
                continue;
            }
            if (value == null) {
                if (used >= given.size()) {
                    throw new Failure("'%' has too few values for its format");
                }
                value = given.get(used++);
            }
            char align = left ? '<' : zero && "srac".indexOf(type) < 0 ? '=' : '>';
            out.add(write(
                    value,
                    type,
                    new Spec(align == '=' ? "0" : " ", align, sign, alternate, width, (char) 0, precision, type),
                    in));
        }
        if (!named && used < given.size() && !(values instanceof Dict)) {
            throw new Failure("'%' has more values than its format takes");
        }
        return out.add(format, kept, text.length()).build();
    }

    private static Str write(Value value, char type, Spec spec, Interpreter in) {
        return switch (type) {
            case 's' -> text(Text.str(value, in.budget()), spec, in);
            case 'r', 'a' -> text(Text.repr(value, in.budget()), spec, in);
            case 'c' ->
                text(
                        value instanceof Str str ? str : Str.own(Character.toString(Values.integer(value, "'%c'"))),
                        spec,
                        in);
            case 'd', 'i', 'u' -> {
                Value whole = value instanceof Flt number
                        ? new Int(truncate(number.value()))
                        : new Int(Operators.whole(value));
                yield number(whole, typed(spec, 'd'), in);
            }
            case 'x', 'X', 'o' -> number(new Int(Operators.whole(value)), spec, in);
            case 'e', 'E', 'f', 'F', 'g', 'G' -> number(new Flt(Operators.real(value)), spec, in);
            default -> throw new Failure("'%" + type + "' has no meaning");
        };
    }

    private static Spec typed(Spec s, char type) {
        return new Spec(s.fill(), s.align(), s.sign(), s.alternate(), s.width(), s.group(), s.precision(), type);
    }

    static BigInteger truncate(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            throw new Failure("the float " + Text.number(value) + " is no whole number");
        }
        return new BigDecimal(value).toBigInteger();
    }

    // ---- str.format

    static Value braces(Str format, Args args, Interpreter in) {
        return braces(format, args, in, new int[1], 0);
    }

    private static Str braces(Str format, Args args, Interpreter in, int[] automatic, int depth) {
        if (depth > 2) {
            throw new Failure("format() is nested too deep");
        }
        StrBuilder out = new StrBuilder(in.budget());
        String text = format.text();
        int kept = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '{' && c != '}') {
                continue;
            }
            out.add(format, kept, i);
            if (i + 1 < text.length() && text.charAt(i + 1) == c) {
                out.add(format, i, i + 1);
                kept = i + 2;
                i++;
                continue;
            }
            int end = c == '{' ? closing(text, i) : -1;
            if (end < 0) {
                throw new Failure("format() finds a single '" + c + "'");
            }
            out.add(field(format.slice(i + 1, end), args, in, automatic, depth));
            kept = end + 1;
            i = end;
        }
        return out.add(format, kept, text.length()).build();
    }

    private static int closing(String text, int open) {
        int depth = 0;
        for (int i = open; i < text.length(); i++) {
            if (text.charAt(i) == '{') {
                depth++;
            } else if (text.charAt(i) == '}' && --depth == 0) {
                return i;
            }
        }
        return -1;
    }

    private static Str field(Str field, Args args, Interpreter in, int[] automatic, int depth) {
        in.budget().step();
        String text = field.text();
        int end = 0;
        while (end < text.length() && text.charAt(end) != ':' && text.charAt(end) != '!') {
            end++;
        }
        Value value = lookup(text.substring(0, end), args, in, automatic);
        char conversion = 0;
        if (end < text.length() && text.charAt(end) == '!') {
            conversion = end + 1 < text.length() ? text.charAt(end + 1) : 0;
            end += 2;
        }
        if (conversion == 'r' || conversion == 'a') {
            value = Text.repr(value, in.budget());
        } else if (conversion == 's') {
            value = Text.str(value, in.budget());
        } else if (conversion != 0) {
            throw new Failure("format() knows no '!" + conversion + "'");
        }
        if (end >= text.length()) {
            return Text.str(value, in.budget());
        }
        String spec = braces(field.slice(end + 1, text.length()), args, in, automatic, depth + 1)
                .text();
        return formatted(value, parse(spec), in);
    }

    private static Value lookup(String path, Args args, Interpreter in, int[] automatic) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
            end++;
        }
        String first = path.substring(0, end);
        Value value;
        if (first.isEmpty() || digits(first, 0) == first.length()) {
            int index = first.isEmpty() ? automatic[0]++ : number(first, 0, first.length(), 0);
            if (index >= args.positional().size()) {
                throw new Failure("format() has no value number " + index);
            }
            value = args.positional().get(index);
        } else {
            Value named = args.named().get(first);
            if (named == null) {
                throw new Failure("format() has no value '" + first + "'");
            }
            value = named;
        }
        while (end < path.length()) {
            boolean item = path.charAt(end) == '[';
            int next = item ? path.indexOf(']', end) : end + 1;
            if (next < 0) {
                throw new Failure("format() misses a ']'");
            }
            if (!item) {
                while (next < path.length() && path.charAt(next) != '.' && path.charAt(next) != '[') {
                    next++;
                }
            }
            String name = path.substring(end + 1, next);
            boolean index = item && !name.isEmpty() && digits(name, 0) == name.length();
            value = !item
                    ? Values.attribute(value, name)
                    : Values.item(
                            value, index ? Int.of(number(name, 0, name.length(), 0)) : Str.own(name), in.budget());
            Values.defined(value);
            end = item ? next + 1 : next;
        }
        return value;
    }

    private static Spec parse(String text) {
        int i = 0;
        String fill = " ";
        char align = 0;
        int first = text.isEmpty() ? 0 : Character.charCount(text.codePointAt(0));
        if (first > 0 && first < text.length() && "<>=^".indexOf(text.charAt(first)) >= 0) {
            fill = text.substring(0, first);
            align = text.charAt(first);
            i = first + 1;
        } else if (!text.isEmpty() && "<>=^".indexOf(text.charAt(0)) >= 0) {
            align = text.charAt(0);
            i = 1;
        }
        char sign = '-';
        if (i < text.length() && "+- ".indexOf(text.charAt(i)) >= 0) {
            sign = text.charAt(i++);
        }
        boolean alternate = text.startsWith("#", i);
        i += alternate ? 1 : 0;
        if (text.startsWith("0", i)) {
            if (align == 0) {
                fill = "0";
                align = '=';
            }
            i++;
        }
        int end = digits(text, i);
        int width = number(text, i, end, 0);
        i = end;
        char group = 0;
        if (i < text.length() && (text.charAt(i) == ',' || text.charAt(i) == '_')) {
            group = text.charAt(i++);
        }
        int precision = -1;
        if (text.startsWith(".", i)) {
            end = digits(text, i + 1);
            precision = precision(number(text, i + 1, end, -1));
            i = end;
        }
        char type = i < text.length() ? text.charAt(i++) : 0;
        if (i < text.length()) {
            throw new Failure("format() does not understand '" + text + "'");
        }
        return new Spec(fill, align, sign, alternate, width, group, precision, type);
    }

    private static Str formatted(Value value, Spec spec, Interpreter in) {
        if (value instanceof Str str) {
            if ((spec.type() != 0 && spec.type() != 's') || spec.align() == '=') {
                throw new Failure("format() cannot write a text that way");
            }
            return text(str, spec.align() == 0 ? withAlign(spec, '<') : spec, in);
        }
        if (Operators.isNumber(value)) {
            if (value instanceof Value.Bool && spec.type() == 0) {
                return text(Text.str(value, in.budget()), spec.align() == 0 ? withAlign(spec, '<') : spec, in);
            }
            return number(value, spec.align() == 0 ? withAlign(spec, '>') : spec, in);
        }
        if (value != None.NONE && spec.width() == 0 && spec.type() == 0) {
            return Text.str(value, in.budget());
        }
        throw new Failure("format() cannot write a value of type " + Values.typeName(value) + " that way");
    }

    private static Spec withAlign(Spec s, char align) {
        return new Spec(s.fill(), align, s.sign(), s.alternate(), s.width(), s.group(), s.precision(), s.type());
    }

    // ---- shared

    private static int digits(String text, int from) {
        int i = from;
        while (i < text.length() && Chars.digit(text.charAt(i), 10) >= 0) {
            i++;
        }
        return i;
    }

    private static int number(String text, int from, int to, int otherwise) {
        if (from == to) {
            return otherwise;
        }
        int value = to - from > 6 ? Integer.MAX_VALUE : Integer.parseInt(text.substring(from, to));
        if (value > MAX_WIDTH) {
            throw new Failure("a width over the limit of " + MAX_WIDTH);
        }
        return value;
    }

    private static int precision(int value) {
        if (value > MAX_PRECISION) {
            throw new Failure("a precision over the limit of " + MAX_PRECISION);
        }
        return value;
    }

    private static Str text(Str str, Spec spec, Interpreter in) {
        Str cut = spec.precision() >= 0 && spec.precision() < str.codePoints()
                ? str.slice(0, str.offset(spec.precision()))
                : str;
        return align(cut, spec, in);
    }

    private static Str align(Str str, Spec spec, Interpreter in) {
        int missing = spec.width() - str.codePoints();
        if (missing <= 0) {
            return str;
        }
        int before = switch (spec.align()) {
            case '<' -> 0;
            case '^' -> missing / 2;
            default -> missing;
        };
        return new StrBuilder(in.budget())
                .own(spec.fill().repeat(before))
                .add(str)
                .own(spec.fill().repeat(missing - before))
                .build();
    }

    private static Str number(Value value, Spec spec, Interpreter in) {
        boolean real = value instanceof Flt || (spec.type() != 0 && "eEfFgG%".indexOf(spec.type()) >= 0);
        boolean negative;
        String digits;
        if (real) {
            double number = Operators.real(value);
            negative = number < 0 || (number == 0 && 1 / number < 0);
            digits = real(Math.abs(number), spec);
        } else {
            BigInteger number = Operators.whole(value);
            negative = number.signum() < 0;
            digits = whole(number.abs(), spec);
        }
        if (spec.group() != 0) {
            digits = grouped(digits, spec.group());
        }
        String sign = negative ? "-" : spec.sign() == '-' ? "" : String.valueOf(spec.sign());
        if (spec.align() == '=') {
            int missing = spec.width() - sign.length() - digits.length();
            return Str.own(sign + spec.fill().repeat(Math.max(0, missing)) + digits);
        }
        return align(Str.own(sign + digits), spec, in);
    }

    private static String whole(BigInteger number, Spec spec) {
        return switch (spec.type()) {
            case 0, 'd', 'n' -> number.toString();
            case 'x' -> (spec.alternate() ? "0x" : "") + number.toString(16);
            case 'X' -> (spec.alternate() ? "0X" : "") + number.toString(16).toUpperCase(Locale.ROOT);
            case 'o' -> (spec.alternate() ? "0o" : "") + number.toString(8);
            case 'b' -> (spec.alternate() ? "0b" : "") + number.toString(2);
            case 'c' -> Character.toString(number.bitLength() <= 20 ? number.intValue() : 0xFFFD);
            default -> throw new Failure("an int cannot be written as '" + spec.type() + "'");
        };
    }

    private static String real(double number, Spec spec) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return Text.number(number);
        }
        int precision = spec.precision() < 0 ? 6 : spec.precision();
        BigDecimal exact = new BigDecimal(number);
        return switch (spec.type()) {
            case 'f', 'F' -> exact.setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
            case '%' ->
                new BigDecimal(number * 100)
                                .setScale(precision, RoundingMode.HALF_EVEN)
                                .toPlainString() + "%";
            case 'e' -> scientific(exact, precision);
            case 'E' -> scientific(exact, precision).toUpperCase(Locale.ROOT);
            case 'g', 'n' -> general(exact, Math.max(1, precision), spec.alternate());
            case 'G' -> general(exact, Math.max(1, precision), spec.alternate()).toUpperCase(Locale.ROOT);
            case 0 -> spec.precision() < 0 ? Text.number(number) : shortest(exact, Math.max(1, precision));
            default -> throw new Failure("a float cannot be written as '" + spec.type() + "'");
        };
    }

    private static int exponent(BigDecimal number) {
        return number.signum() == 0 ? 0 : number.precision() - number.scale() - 1;
    }

    private static String scientific(BigDecimal exact, int precision) {
        BigDecimal rounded = exact.round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
        int exponent = exponent(rounded);
        String mantissa = rounded.movePointLeft(exponent)
                .setScale(precision, RoundingMode.HALF_EVEN)
                .toPlainString();
        int size = Math.abs(exponent);
        return mantissa + "e" + (exponent < 0 ? "-" : "+") + (size < 10 ? "0" : "") + size;
    }

    private static String general(BigDecimal exact, int precision, boolean keepZeros) {
        BigDecimal rounded = exact.round(new MathContext(precision, RoundingMode.HALF_EVEN));
        int exponent = exponent(rounded);
        boolean plain = exponent >= -4 && exponent < precision;
        String text = plain
                ? rounded.setScale(Math.max(0, precision - 1 - exponent), RoundingMode.HALF_EVEN)
                        .toPlainString()
                : scientific(exact, precision - 1);
        if (keepZeros || text.indexOf('.') < 0) {
            return text;
        }
        int e = plain ? text.length() : text.indexOf('e');
        int end = e;
        while (text.charAt(end - 1) == '0') {
            end--;
        }
        end -= text.charAt(end - 1) == '.' ? 1 : 0;
        return text.substring(0, end) + text.substring(e);
    }

    /** No type but a precision: like 'g', but a whole number keeps one decimal. */
    private static String shortest(BigDecimal exact, int precision) {
        BigDecimal rounded = exact.round(new MathContext(precision, RoundingMode.HALF_EVEN));
        String text = general(exact, precision, false);
        boolean bare = text.indexOf('.') < 0 && text.indexOf('e') < 0;
        return bare && exponent(rounded) < precision - 1 ? text + ".0" : bare ? scientificBare(rounded) : text;
    }

    private static String scientificBare(BigDecimal rounded) {
        BigDecimal plain = rounded.stripTrailingZeros();
        return scientific(plain, Math.max(0, plain.precision() - 1));
    }

    private static String grouped(String digits, char group) {
        int end = 0;
        while (end < digits.length() && Chars.digit(digits.charAt(end), 10) >= 0) {
            end++;
        }
        StringBuilder out = new StringBuilder(digits);
        for (int i = end - 3; i > 0; i -= 3) {
            out.insert(i, group);
        }
        return out.toString();
    }
}
