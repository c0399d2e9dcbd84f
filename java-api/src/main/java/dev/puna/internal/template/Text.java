// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Value.Bool;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Flt;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.Kind;
import dev.puna.internal.template.Value.None;
import dev.puna.internal.template.Value.Seq;
import dev.puna.internal.template.Value.Undefined;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Map;

/**
 * Values as text: Python's str() and repr().
 *
 * <p>Origin: a text's characters keep theirs, escaped or not; its quotes are from outside when any of it is; a list's
 * brackets and commas belong to whoever made the list; numbers, None, True and False are harmless and count as ours.
 */
final class Text {
    private Text() {}

    static Str str(Value value, Budget budget) {
        return switch (value) {
            case Str str -> str;
            case Undefined undefined -> Str.EMPTY;
            default -> repr(value, budget);
        };
    }

    static Str repr(Value value, Budget budget) {
        StrBuilder out = new StrBuilder(budget);
        repr(value, out, budget);
        return out.build();
    }

    /** For messages and keys: the text of a number or a word, without any budget. */
    static String plain(Value value) {
        return switch (value) {
            case None none -> "None";
            case Bool flag -> flag.value() ? "True" : "False";
            case Int number -> number.value().toString();
            case Flt number -> number(number.value());
            case Str str -> str.text();
            default -> "<" + Values.typeName(value) + ">";
        };
    }

    private static void repr(Value value, StrBuilder out, Budget budget) {
        budget.step();
        switch (value) {
            case Str str -> {
                out.own(str.markup() ? "Markup(" : "");
                quoted(str, out);
                out.own(str.markup() ? ")" : "");
            }
            case Undefined undefined -> out.own("Undefined");
            case Seq seq -> {
                budget.enter();
                sequence(seq, out, budget);
                budget.leave();
            }
            case Dict dict -> {
                budget.enter();
                out.add("{", dict.trusted());
                int count = 0;
                for (Map.Entry<Value, Value> entry : dict.entries().entrySet()) {
                    out.add(count++ == 0 ? "" : ", ", dict.trusted());
                    repr(entry.getKey(), out, budget);
                    out.add(": ", dict.trusted());
                    repr(entry.getValue(), out, budget);
                }
                out.add("}", dict.trusted());
                budget.leave();
            }
            default -> out.own(plain(value));
        }
    }

    private static void sequence(Seq seq, StrBuilder out, Budget budget) {
        boolean tuple = seq.kind().tuple();
        boolean view = seq.kind().view();
        if (seq.kind() == Kind.RANGE) {
            out.own(range(seq));
            return;
        }
        out.add((view ? seq.kind().python + "(" : "") + (tuple ? "(" : "["), seq.trusted());
        for (int i = 0; i < seq.items().size(); i++) {
            out.add(i == 0 ? "" : ", ", seq.trusted());
            repr(seq.items().get(i), out, budget);
        }
        out.add(tuple && seq.items().size() == 1 ? "," : "", seq.trusted());
        out.add((tuple ? ")" : "]") + (view ? ")" : ""), seq.trusted());
    }

    private static String range(Seq seq) {
        int size = seq.items().size();
        if (size == 0) {
            return "range(0, 0)";
        }
        long first = Operators.whole(seq.items().get(0)).longValue();
        long step = size == 1 ? 1 : Operators.whole(seq.items().get(1)).longValue() - first;
        return "range(" + first + ", " + (first + step * size) + (step == 1 ? ")" : ", " + step + ")");
    }

    private static void quoted(Str str, StrBuilder out) {
        String text = str.text();
        String quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? "\"" : "'";
        out.add(quote, str.trusted());
        int kept = 0;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            int next = i + Character.charCount(c);
            if (c == quote.charAt(0) || c == '\\' || !Chars.isPrintable(c)) {
                out.add(str, kept, i);
                out.add(escape(c), str.trustedAt(i));
                kept = next;
            }
            i = next;
        }
        out.add(str, kept, text.length());
        out.add(quote, str.trusted());
    }

    private static String escape(int c) {
        return switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\\', '\'', '"' -> "\\" + (char) c;
            default -> hex(c);
        };
    }

    private static String hex(int c) {
        int length = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
        String digits = Integer.toHexString(c);
        return (length == 2 ? "\\x" : length == 4 ? "\\u" : "\\U") + "0".repeat(length - digits.length()) + digits;
    }

    /** A float as Python writes it: the shortest digits that give it back, an exponent below 1e-4 and from 1e16. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        // Java writes at least two digits, even where one is enough.
        BigDecimal shorter = shortest.round(new MathContext(1));
        shortest = shorter.doubleValue() == value ? shorter.stripTrailingZeros() : shortest;
        String digits = shortest.unscaledValue().abs().toString();
        String sign = value < 0 ? "-" : "";
        int exponent = digits.length() - 1 - shortest.scale();
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.abs().toPlainString();
            return sign + plain + (plain.indexOf('.') < 0 ? ".0" : "");
        }
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return sign + mantissa + "e" + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }
}
