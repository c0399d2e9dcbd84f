// SPDX-License-Identifier: Apache-2.0

import dev.puna.TemplateException;
import dev.puna.internal.template.ChatTemplate;
import dev.puna.internal.template.Limits;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Renders the cases of a JSON file: each line of the output is a JSON list [ok, text or error]. */
final class Render {
    private static final Clock NOW = Clock.fixed(Instant.parse("2026-03-07T08:05:09Z"), ZoneOffset.UTC);

    private final String json;
    private int at;

    private Render(String json) {
        this.json = json;
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> input = (Map<String, Object>) new Render(Files.readString(Path.of(arguments[0]))).value();
        List<List<Object>> cases = (List<List<Object>>) input.get("cases");
        PrintStream out = new PrintStream(Files.newOutputStream(Path.of(arguments[1])), false, StandardCharsets.UTF_8);
        for (Object one : (List<Object>) input.get("templates")) {
            // Either [source] with the shared cases or [source, its own cases].
            List<Object> template = (List<Object>) one;
            List<List<Object>> own = template.size() > 1 ? (List<List<Object>>) template.get(1) : cases;
            Object parsed = parse((String) template.get(0));
            for (List<Object> variables : own) {
                out.println(render(parsed, (Map<String, Object>) variables.get(0),
                        (Map<String, Object>) variables.get(1)));
            }
        }
        out.close();
        if (out.checkError()) {
            throw new java.io.IOException("the results could not be written");
        }
    }

    /** The template, or the line that says why there is none. */
    private static Object parse(String source) {
        try {
            return ChatTemplate.parse(source);
        } catch (RuntimeException | Error failure) {
            return failed(failure);
        }
    }

    private static String render(Object parsed, Map<String, Object> variables, Map<String, Object> special) {
        if (!(parsed instanceof ChatTemplate template)) {
            return (String) parsed;
        }
        try {
            return "[true, " + quote(template.render(variables, special, Limits.DEFAULT, NOW).text()) + "]";
        } catch (RuntimeException | Error failure) {
            return failed(failure);
        }
    }

    /** A template's own failure is false; anything else is a bug and agrees with nothing. */
    private static String failed(Throwable failure) {
        return failure instanceof TemplateException
                ? "[false, " + quote(String.valueOf(failure.getMessage())) + "]"
                : "[null, " + quote(failure + " at " + failure.getStackTrace()[0]) + "]";
    }

    private static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c < ' ' || c == '"' || c == '\\' || c > '~') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    // The input is what Python's json.dumps wrote; nothing here checks more than that needs.

    private char peek() {
        while (Character.isWhitespace(json.charAt(at))) {
            at++;
        }
        return json.charAt(at);
    }

    private boolean skip(char c) {
        boolean found = peek() == c;
        at += found ? 1 : 0;
        return found;
    }

    private Object value() {
        return switch (peek()) {
            case '{' -> object();
            case '[' -> list();
            case '"' -> string();
            case 't', 'f', 'n' -> word();
            default -> number();
        };
    }

    private Map<String, Object> object() {
        Map<String, Object> map = new LinkedHashMap<>();
        at++;
        while (!skip('}')) {
            skip(',');
            peek();
            String key = string();
            skip(':');
            map.put(key, value());
        }
        return map;
    }

    private List<Object> list() {
        List<Object> list = new ArrayList<>();
        at++;
        while (!skip(']')) {
            skip(',');
            list.add(value());
        }
        return list;
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        at++;
        while (json.charAt(at) != '"') {
            char c = json.charAt(at++);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char kind = json.charAt(at++);
            switch (kind) {
                case 'u' -> {
                    out.append((char) Integer.parseInt(json.substring(at, at + 4), 16));
                    at += 4;
                }
                case 'n' -> out.append('\n');
                case 't' -> out.append('\t');
                case 'r' -> out.append('\r');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                default -> out.append(kind);
            }
        }
        at++;
        return out.toString();
    }

    private Object word() {
        int from = at;
        while (Character.isLetter(json.charAt(at))) {
            at++;
        }
        return switch (json.substring(from, at)) {
            case "true" -> Boolean.TRUE;
            case "false" -> Boolean.FALSE;
            default -> null;
        };
    }

    private Object number() {
        int from = at;
        while (at < json.length() && "+-.eE0123456789".indexOf(json.charAt(at)) >= 0) {
            at++;
        }
        String text = json.substring(from, at);
        if (text.chars().allMatch(c -> c == '-' || Character.isDigit(c))) {
            return new java.math.BigInteger(text);
        }
        return Double.valueOf(text);
    }
}
