// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * JSON (RFC 8259) as plain values: objects are Map in their order, arrays List, texts String; whole numbers Long, or
 * BigInteger where they don't fit; others Double, or BigDecimal where a Double would be another number; and Boolean or
 * null. Reading is strict and bounded in depth; what is written is one line. Any thread.
 */
public final class Json {
    private static final int MAX_EXPONENT = 4; // digits
    private static final Pattern NUMBER = Pattern.compile("-?(?:0|[1-9]\\d*)(\\.\\d+)?(?:[eE][+-]?(\\d+))?");

    /**
     * What is read, and how.
     *
     * @param wrong how a message begins
     * @param depth most levels
     * @param digits most characters of a number: those with more would take a long time to compute
     * @param exact whether every number is a BigDecimal, and a name may come but once in an object
     */
    private record Form(String wrong, int depth, int digits, boolean exact) {}

    private static final Form DATA = new Form("no JSON", 64, 1000, false);

    private final String text;
    private final Form form;
    private int at;

    private Json(String text, Form form) {
        this.text = text;
        this.form = form;
    }

    /**
     * A value, and where the text goes on behind it.
     *
     * @param value read
     * @param end offset in the text
     */
    public record Prefix(@Nullable Object value, int end) {}

    /**
     * Reads the value that stands at the beginning of a text, whatever follows it.
     *
     * @param text any text
     * @return the value
     * @throws IllegalArgumentException with the offset of what is wrong
     */
    public static Prefix prefix(String text) {
        Json json = new Json(text, DATA);
        Object value = json.value(0);
        return new Prefix(value, json.at);
    }

    /**
     * Spells a character that can't stand in a text as it is.
     *
     * @param c a quote, a backslash, a control character, or another one of 16 bits
     * @return with a backslash in front; by number where it has no letter
     */
    public static String escaped(int c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> String.format("\\u%04x", c);
        };
    }

    /**
     * Writes a value on one line.
     *
     * @param value maps with texts as keys, lists, texts, finite numbers, booleans and null
     * @return JSON, with a space behind each comma and colon as chat templates write it
     * @throws IllegalArgumentException if something else is in it
     */
    public static String write(@Nullable Object value) {
        return JsonWriter.write(value);
    }

    /**
     * Reads a whole text.
     *
     * @param text a JSON value, perhaps with white space around it
     * @return the value
     * @throws IllegalArgumentException with the offset of what is wrong
     */
    public static @Nullable Object parse(String text) {
        return whole(text, DATA);
    }

    /**
     * Reads a whole text in which numbers count as they are written, and every name counts: a schema.
     *
     * @param text a JSON value, perhaps with white space around it
     * @param what it is, for the message
     * @return the value: every number is a BigDecimal of at most 100 characters; at most 200 levels deep
     * @throws IllegalArgumentException with the offset of what is wrong: also where a name comes twice in an object
     */
    public static @Nullable Object parseExactly(String text, String what) {
        return whole(text, new Form(what + " is not JSON", 200, 100, true));
    }

    private static @Nullable Object whole(String text, Form form) {
        Json json = new Json(text, form);
        Object value = json.value(0);
        json.space();
        if (json.at != text.length()) {
            throw json.wrong("more text follows the value");
        }
        return value;
    }

    private @Nullable Object value(int depth) {
        if (depth > form.depth) {
            throw wrong("it is nested more than " + form.depth + " deep");
        }
        space();
        if (at >= text.length()) {
            throw wrong("a value is missing");
        }
        return switch (text.charAt(at)) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, @Nullable Object> object(int depth) {
        Map<String, @Nullable Object> result = new LinkedHashMap<>();
        at++;
        if (next('}')) {
            return result;
        }
        do {
            space();
            if (at >= text.length() || text.charAt(at) != '"') {
                throw wrong("a name in quotes is missing");
            }
            String name = string();
            expect(':');
            if (form.exact && result.containsKey(name)) {
                throw wrong("the name \"" + name + "\" is there twice");
            }
            result.put(name, value(depth + 1));
        } while (next(','));
        expect('}');
        return result;
    }

    private List<@Nullable Object> array(int depth) {
        List<@Nullable Object> result = new ArrayList<>();
        at++;
        if (next(']')) {
            return result;
        }
        do {
            result.add(value(depth + 1));
        } while (next(','));
        expect(']');
        return result;
    }

    private String string() {
        StringBuilder result = new StringBuilder();
        at++;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return result.toString();
            }
            if (c < ' ') {
                throw wrong("a control character in a text");
            }
            result.append(c == '\\' ? escape() : c);
        }
        throw wrong("a text has no end");
    }

    private char escape() {
        char c = at < text.length() ? text.charAt(at++) : 0;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> hex();
            default -> throw wrong("an unknown escape");
        };
    }

    private char hex() {
        int code = 0;
        for (int i = 0; i < 4; i++) {
            char c = at < text.length() ? text.charAt(at++) : ' ';
            if (c > 'f' || Character.digit(c, 16) < 0) {
                throw wrong("four hex digits follow \\u");
            }
            code = code << 4 | Character.digit(c, 16);
        }
        return (char) code;
    }

    private Number number() {
        Matcher found = NUMBER.matcher(text).region(at, text.length());
        if (!found.lookingAt()) {
            throw wrong("no value");
        }
        String digits = found.group();
        String exponent = found.group(2);
        if (digits.length() > form.digits || exponent != null && exponent.length() > MAX_EXPONENT) {
            throw wrong("a number of too many digits");
        }
        at = found.end();
        if (form.exact) {
            return new BigDecimal(digits);
        }
        return found.group(1) == null && exponent == null ? whole(digits) : decimal(digits);
    }

    private static Number whole(String digits) {
        BigInteger exact = new BigInteger(digits);
        if (exact.bitLength() < Long.SIZE) {
            return exact.longValue();
        }
        return exact;
    }

    private static Number decimal(String digits) {
        BigDecimal exact = new BigDecimal(digits);
        if (exact.signum() == 0) {
            return digits.charAt(0) == '-' ? -0.0 : 0.0; // a BigDecimal has no zero below zero
        }
        double near = exact.doubleValue();
        if (Double.isInfinite(near) || new BigDecimal(Double.toString(near)).compareTo(exact) != 0) {
            return exact.scale() == 0 ? exact.unscaledValue() : exact; // as it is written, so it is read again
        }
        return near;
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong("no value");
        }
        at += word.length();
        return value;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean next(char c) {
        space();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(char c) {
        if (!next(c)) {
            throw wrong("'" + c + "' is missing");
        }
    }

    private IllegalArgumentException wrong(String why) {
        return new IllegalArgumentException(form.wrong + " at offset " + at + ": " + why);
    }
}
