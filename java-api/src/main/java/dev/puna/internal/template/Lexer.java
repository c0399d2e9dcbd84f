// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.TemplateException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens: the text between tags, and what stands inside them.
 *
 * <p>Whitespace is handled here, with trim_blocks and lstrip_blocks on: a block tag eats the newline after it and the
 * blanks before it on its line; a minus sign eats all whitespace on its side, a plus sign keeps it.
 */
final class Lexer {
    enum Type {
        DATA,
        OUTPUT_BEGIN,
        OUTPUT_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    record Token(Type type, String text, int line) {
        boolean is(Type wanted, String value) {
            return type == wanted && text.equals(value);
        }

        String describe() {
            return switch (type) {
                case END -> "the end of the template";
                case OUTPUT_END -> "'}}'";
                case BLOCK_END -> "'%}'";
                case STRING -> "a text";
                default -> "'" + text + "'";
            };
        }
    }

    private static final List<String> OPERATORS = List.of(
            "**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int pos;
    private int line = 1;
    private int counted;
    private boolean lineStart = true;

    private Lexer(String source) {
        String plain = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = plain.endsWith("\n") ? plain.substring(0, plain.length() - 1) : plain;
    }

    static List<Token> lex(String source) {
        return new Lexer(source).run();
    }

    private List<Token> run() {
        while (pos < source.length()) {
            int tag = nextTag(pos);
            if (tag < 0) {
                add(Type.DATA, source.substring(pos), pos);
                pos = source.length();
                break;
            }
            char kind = source.charAt(tag + 1);
            char sign = signAt(tag + 2);
            data(source.substring(pos, tag), sign, kind);
            int inside = tag + (sign == 0 ? 2 : 3);
            switch (kind) {
                case '#' -> comment(tag, inside);
                case '{' -> output(tag, inside);
                default -> {
                    if (!raw(tag, inside)) {
                        add(Type.BLOCK_BEGIN, "{%", tag);
                        pos = inside;
                        expression("%}", Type.BLOCK_END, tag);
                    }
                }
            }
        }
        add(Type.END, "", source.length());
        return tokens;
    }

    private int nextTag(int from) {
        for (int i = source.indexOf('{', from); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char next = source.charAt(i + 1);
            if (next == '{' || next == '%' || next == '#') {
                return i;
            }
        }
        return -1;
    }

    private char signAt(int at) {
        char c = at < source.length() ? source.charAt(at) : 0;
        return c == '-' || c == '+' ? c : 0;
    }

    /** The text before a tag, less what the tag's sign or the block's line takes away. */
    private void data(String text, char sign, char kind) {
        String kept = text;
        if (sign == '-') {
            kept = Chars.stripRight(text);
        } else if (sign != '+' && kind != '{') {
            int start = text.lastIndexOf('\n') + 1;
            if ((start > 0 || lineStart) && Chars.isSpace(text.substring(start))) {
                kept = text.substring(0, start);
            }
        }
        if (!kept.isEmpty()) {
            add(Type.DATA, kept, pos);
        }
    }

    private void output(int tag, int inside) {
        add(Type.OUTPUT_BEGIN, "{{", tag);
        pos = inside;
        expression("}}", Type.OUTPUT_END, tag);
    }

    private void comment(int tag, int inside) {
        int end = source.indexOf("#}", inside);
        if (end < 0) {
            throw error(tag, "a comment without its end '#}'");
        }
        int from = end > inside && signAt(end - 1) != 0 ? end - 1 : end;
        pos = from;
        closeTag("#}", true);
    }

    /** {% raw %} ... {% endraw %}: text that looks like tags but is none. */
    private boolean raw(int tag, int inside) {
        int at = word("raw", inside);
        if (at < 0) {
            return false;
        }
        boolean strip = source.startsWith("-%}", at);
        if (!strip && !source.startsWith("%}", at)) {
            return false;
        }
        int from = strip ? Chars.skipSpace(source, at + 3) : at + 2;
        for (int i = source.indexOf("{%", from); i >= 0; i = source.indexOf("{%", i + 2)) {
            char sign = signAt(i + 2);
            int end = word("endraw", i + (sign == 0 ? 2 : 3));
            if (end >= 0 && (source.startsWith("%}", end) || (signAt(end) != 0 && source.startsWith("%}", end + 1)))) {
                pos = from;
                lineStart = from > 0 && source.charAt(from - 1) == '\n';
                data(source.substring(from, i), sign, '%');
                pos = end;
                closeTag("%}", true);
                return true;
            }
        }
        throw error(tag, "a raw block without its end");
    }

    private int word(String word, int from) {
        int at = Chars.skipSpace(source, from);
        return source.startsWith(word, at) ? Chars.skipSpace(source, at + word.length()) : -1;
    }

    /** Steps over a tag's end at {@link #pos} and what it eats. */
    private void closeTag(String end, boolean trims) {
        char sign = signAt(pos);
        int after = pos + end.length() + (sign == 0 ? 0 : 1);
        if (sign == '-') {
            after = Chars.skipSpace(source, after);
        } else if (sign == 0 && trims && source.startsWith("\n", after)) {
            after++;
        }
        pos = after;
        lineStart = source.charAt(after - 1) == '\n';
    }

    private void expression(String end, Type endType, int tag) {
        Deque<Character> open = new ArrayDeque<>();
        boolean block = endType == Type.BLOCK_END;
        while (true) {
            pos = Chars.skipSpace(source, pos);
            if (pos >= source.length()) {
                throw error(tag, "a tag without its end '" + end + "'");
            }
            if (open.isEmpty() && endsHere(end, block)) {
                add(endType, end, pos);
                closeTag(end, block);
                return;
            }
            char c = source.charAt(pos);
            if (c == '\'' || c == '"') {
                string(c);
            } else if (c >= '0' && c <= '9') {
                number();
            } else if (c == '_' || Character.isUnicodeIdentifierStart(source.codePointAt(pos))) {
                name();
            } else {
                operator(open);
            }
        }
    }

    private boolean endsHere(String end, boolean block) {
        return source.startsWith(end, pos)
                || source.startsWith("-" + end, pos)
                || (block && source.startsWith("+" + end, pos));
    }

    private void name() {
        int start = pos;
        while (pos < source.length()) {
            int c = source.codePointAt(pos);
            if (c != '_' && !Character.isUnicodeIdentifierPart(c)) {
                break;
            }
            pos += Character.charCount(c);
        }
        add(Type.NAME, source.substring(start, pos), start);
    }

    private void operator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, pos)) {
                char c = operator.charAt(0);
                switch (c) {
                    case '(' -> open.push(')');
                    case '[' -> open.push(']');
                    case '{' -> open.push('}');
                    case ')', ']', '}' -> {
                        if (open.isEmpty() || open.pop() != c) {
                            throw error(pos, "'" + c + "' closes nothing");
                        }
                    }
                    default -> {}
                }
                add(Type.OPERATOR, operator, pos);
                pos += operator.length();
                return;
            }
        }
        throw error(pos, "the character '" + Character.toString(source.codePointAt(pos)) + "' has no meaning here");
    }

    private void number() {
        int start = pos;
        if (source.charAt(pos) == '0' && pos + 1 < source.length()) {
            int radix = switch (Character.toLowerCase(source.charAt(pos + 1))) {
                case 'x' -> 16;
                case 'o' -> 8;
                case 'b' -> 2;
                default -> 0;
            };
            if (radix != 0 && digits(pos + 2, radix) > pos + 2) {
                pos = digits(pos + 2, radix);
                String text = source.substring(start + 2, pos).replace("_", "");
                add(Type.INTEGER, new java.math.BigInteger(text, radix).toString(), start);
                return;
            }
        }
        pos = digits(pos, 10);
        boolean fraction = false;
        // "a.0.1" is two items, not a float.
        if (start == 0 || source.charAt(start - 1) != '.') {
            if (source.startsWith(".", pos) && digits(pos + 1, 10) > pos + 1) {
                pos = digits(pos + 1, 10);
                fraction = true;
            }
            if (pos < source.length() && Character.toLowerCase(source.charAt(pos)) == 'e') {
                int exponent = pos + 1 + (signAt(pos + 1) == 0 ? 0 : 1);
                if (digits(exponent, 10) > exponent) {
                    pos = digits(exponent, 10);
                    fraction = true;
                }
            }
        }
        add(fraction ? Type.FLOAT : Type.INTEGER, source.substring(start, pos).replace("_", ""), start);
    }

    private int digits(int from, int radix) {
        int at = from;
        while (at < source.length()
                && (Chars.digit(source.charAt(at), radix) >= 0
                        || (source.charAt(at) == '_'
                                && at > from
                                && at + 1 < source.length()
                                && Chars.digit(source.charAt(at + 1), radix) >= 0))) {
            at++;
        }
        return at;
    }

    private void string(char quote) {
        int start = pos++;
        while (pos < source.length() && source.charAt(pos) != quote) {
            pos += source.charAt(pos) == '\\' ? 2 : 1;
        }
        if (pos >= source.length()) {
            throw error(start, "a text without its closing quote");
        }
        String body = source.substring(start + 1, pos++);
        add(Type.STRING, body.indexOf('\\') < 0 ? body : unescape(body, start), start);
    }

    private String unescape(String body, int at) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < body.length(); i++) {
            char c = body.charAt(i);
            if (c != '\\' || i + 1 == body.length()) {
                out.append(c);
                continue;
            }
            char kind = body.charAt(++i);
            int simple = "\\'\"abfnrtv".indexOf(kind);
            if (simple >= 0) {
                out.append("\\'\"\u0007\b\f\n\r\t\u000b".charAt(simple));
            } else if (kind >= '0' && kind <= '7') {
                int end = i;
                while (end < body.length() && end < i + 3 && Chars.digit(body.charAt(end), 8) >= 0) {
                    end++;
                }
                out.append((char) Integer.parseInt(body.substring(i, end), 8));
                i = end - 1;
            } else if (kind == 'x' || kind == 'u' || kind == 'U') {
                int length = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
                out.appendCodePoint(hex(body, i + 1, length, at));
                i += length;
            } else if (kind == 'N') {
                int end = body.indexOf('}', i);
                if (end < 0 || !body.startsWith("{", i + 1)) {
                    throw error(at, "\\N needs a character's name in braces");
                }
                out.appendCodePoint(named(body.substring(i + 2, end), at));
                i = end;
            } else if (kind != '\n') {
                out.append('\\').append(kind);
            }
        }
        return out.toString();
    }

    private int hex(String body, int from, int length, int at) {
        int end = from;
        while (end < body.length() && end < from + length && Chars.digit(body.charAt(end), 16) >= 0) {
            end++;
        }
        long value = end == from + length ? Long.parseLong(body.substring(from, end), 16) : Long.MAX_VALUE;
        if (value > Character.MAX_CODE_POINT) {
            throw error(at, "an escape in a text is not followed by " + length + " hexadecimal digits of a character");
        }
        return (int) value;
    }

    private int named(String name, int at) {
        try {
            return Character.codePointOf(name);
        } catch (IllegalArgumentException unknown) {
            throw error(at, "no character is called " + name);
        }
    }

    private void add(Type type, String text, int at) {
        tokens.add(new Token(type, text, lineAt(at)));
    }

    private int lineAt(int at) {
        for (; counted < at; counted++) {
            if (source.charAt(counted) == '\n') {
                line++;
            }
        }
        return line;
    }

    private TemplateException error(int at, String reason) {
        return new TemplateException(null, lineAt(at), reason);
    }
}
