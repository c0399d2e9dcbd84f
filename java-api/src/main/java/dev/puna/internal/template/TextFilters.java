// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Filters.Filter;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.None;
import dev.puna.internal.template.Value.Seq;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters on texts. */
final class TextFilters {
    private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Str NEWLINE = Str.own("\n");

    private TextFilters() {}

    static void register(Map<String, Filter> all) {
        all.put("capitalize", (in, value, args) -> Strings.capitalize(text(in, value), in.budget()));
        all.put("lower", (in, value, args) -> Strings.lower(text(in, value), in.budget()));
        all.put("upper", (in, value, args) -> Strings.upper(text(in, value), in.budget()));
        all.put(
                "title",
                (in, value, args) ->
                        Strings.title(text(in, value), c -> Chars.isSpace(c) || "-({[<".indexOf(c) >= 0, in.budget()));
        all.put("string", (in, value, args) -> text(in, value));
        all.put("safe", (in, value, args) -> text(in, value).asMarkup(true));
        all.put("pprint", (in, value, args) -> Text.repr(value, in.budget()));
        all.put("center", (in, value, args) -> {
            int width = args.bind("center", 0, "width").integer(0, 80);
            return Strings.pad(text(in, value), width, Str.own(" "), true, true, in.budget());
        });
        all.put("escape", (in, value, args) -> escape(text(in, value), in.budget()));
        all.put("e", (in, value, args) -> escape(text(in, value), in.budget()));
        all.put("forceescape", (in, value, args) -> escape(text(in, value).asMarkup(false), in.budget()));
        all.put("format", (in, value, args) -> {
            Str format = text(in, value);
            if (!args.named().isEmpty()) {
                Map<Value, Value> named = new LinkedHashMap<>();
                args.named().forEach((name, item) -> named.put(Str.own(name), item));
                return Formats.percent(format, new Dict(named, true), in);
            }
            return Formats.percent(format, new Seq(Value.Kind.TUPLE, args.positional(), true), in);
        });
        all.put("indent", TextFilters::indent);
        all.put("join", TextFilters::join);
        all.put("replace", (in, value, args) -> {
            Args.Bound a = args.bind("replace", 2, "old", "new", "count");
            int count = a.given(2) ? a.integer(2, -1) : -1;
            return Strings.replace(text(in, value), text(in, a.get(0)), text(in, a.get(1)), count, in.budget());
        });
        all.put("striptags", TextFilters::stripTags);
        all.put("trim", (in, value, args) -> {
            Args.Bound a = args.bind("trim", 0, "chars");
            return Strings.strip(text(in, value), a.given(0) ? a.text(0, "") : null, true, true);
        });
        all.put("truncate", TextFilters::truncate);
        all.put("urlencode", TextFilters::urlEncode);
        all.put("wordcount", (in, value, args) -> {
            Str str = text(in, value);
            in.budget().characters(str.length());
            return Int.of(WORD.matcher(str.text()).results().count());
        });
        all.put("wordwrap", WordWrap::filter);
    }

    static Str text(Interpreter in, Value value) {
        return Text.str(value, in.budget());
    }

    /** A text made safe for HTML; what is so already stays. */
    static Str escape(Str str, Budget budget) {
        if (str.markup()) {
            return str;
        }
        StrBuilder out = new StrBuilder(budget);
        int kept = 0;
        for (int i = 0; i < str.length(); i++) {
            String by = switch (str.text().charAt(i)) {
                case '&' -> "&amp;";
                case '<' -> "&lt;";
                case '>' -> "&gt;";
                case '\'' -> "&#39;";
                case '"' -> "&#34;";
                default -> "";
            };
            if (!by.isEmpty()) {
                out.add(str, kept, i).add(by, str.trustedAt(i));
                kept = i + 1;
            }
        }
        return out.add(str, kept, str.length()).build().asMarkup(true);
    }

    /** Texts in arguments or lists made safe for HTML. */
    static Value escapeAll(Value value, Budget budget) {
        return switch (value) {
            case Str str -> escape(str, budget);
            case Seq seq ->
                new Seq(
                        seq.kind(),
                        seq.items().stream()
                                .map(item -> escapeAll(item, budget))
                                .toList(),
                        seq.trusted());
            case Dict dict -> {
                Map<Value, Value> entries = new LinkedHashMap<>();
                dict.entries().forEach((key, item) -> entries.put(key, escapeAll(item, budget)));
                yield new Dict(entries, dict.trusted());
            }
            default -> value;
        };
    }

    private static Value join(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("join", 0, "d", "attribute");
        Str separator = text(in, a.or(0, Str.EMPTY));
        List<Str> parts = new ArrayList<>();
        Iterator<Value> elements = Values.iterate(value);
        while (elements.hasNext()) {
            in.budget().elements(1);
            Value element = elements.next();
            parts.add(text(in, a.given(1) ? Filters.follow(element, a.get(1), in.budget()) : element));
        }
        return Strings.join(separator, parts, in.budget());
    }

    private static Value indent(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("indent", 0, "width", "first", "blank");
        Str width = a.or(0, None.NONE) instanceof Str str
                ? str
                : Strings.pad(Str.EMPTY, a.integer(0, 4), Str.own(" "), true, false, in.budget());
        Str text = text(in, value);
        Str source = new StrBuilder(in.budget()).add(text).add(NEWLINE).build();
        StrBuilder out = new StrBuilder(in.budget());
        boolean first = true;
        for (Value item : Strings.lines(source, false, in.budget())) {
            Str line = (Str) item;
            if (!first) {
                out.add(NEWLINE);
            }
            if (first ? a.truth(1, false) : a.truth(2, false) || !line.isEmpty()) {
                out.add(width);
            }
            out.add(line);
            first = false;
        }
        return out.build();
    }

    private static Value stripTags(Interpreter in, Value value, Args args) {
        Str str = text(in, value);
        in.budget().characters(str.length());
        Str plain = removeTags(str, in);
        List<Str> words = new ArrayList<>();
        for (Value word : Strings.split(plain, null, -1, in.budget())) {
            words.add((Str) word);
        }
        Str joined = Strings.join(Str.own(" "), words, in.budget());
        String[][] entities = {{"&lt;", "<"}, {"&gt;", ">"}, {"&#39;", "'"}, {"&#34;", "\""}, {"&amp;", "&"}};
        for (String[] entity : entities) {
            joined = Strings.replace(joined, Str.own(entity[0]), Str.of(entity[1], joined.trusted()), -1, in.budget());
        }
        return joined;
    }

    private static Str removeTags(Str str, Interpreter in) {
        StrBuilder out = new StrBuilder(in.budget());
        String text = str.text();
        int kept = 0;
        for (int at = text.indexOf('<'); at >= 0; at = text.indexOf('<', kept)) {
            boolean comment = text.startsWith("<!--", at);
            int end = comment ? text.indexOf("-->", at) : text.indexOf('>', at);
            if (end < 0) {
                break;
            }
            out.add(str, kept, at);
            kept = end + (comment ? 3 : 1);
        }
        return out.add(str, kept, str.length()).build();
    }

    private static Value truncate(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("truncate", 0, "length", "killwords", "end", "leeway");
        Str str = text(in, value);
        Str end = a.text(2, "...");
        int length = a.integer(0, 255);
        int leeway = a.given(3) ? a.integer(3, 5) : 5;
        if (length < end.codePoints() || leeway < 0) {
            throw new Failure("'truncate' needs a length of at least its end's, and a leeway that is not negative");
        }
        if (str.codePoints() <= (long) length + leeway) {
            return str;
        }
        Str cut = str.slice(0, str.offset(length - end.codePoints()));
        int space = a.truth(1, false) ? -1 : cut.text().lastIndexOf(' ');
        return new StrBuilder(in.budget())
                .add(cut, 0, space < 0 ? cut.length() : space)
                .add(end)
                .build();
    }

    private static Value urlEncode(Interpreter in, Value value, Args args) {
        if (value instanceof Str str) {
            return quote(str, "/", in);
        }
        List<Str> pairs = new ArrayList<>();
        List<Value> items = value instanceof Dict dict
                ? dict.entries().entrySet().stream()
                        .map(e -> (Value) Seq.tuple(e.getKey(), e.getValue()))
                        .toList()
                : Values.list(value, in.budget());
        for (Value item : items) {
            List<Value> pair = Values.list(item, in.budget());
            if (pair.size() != 2) {
                throw new Failure("'urlencode' needs pairs");
            }
            pairs.add(new StrBuilder(in.budget())
                    .add(quote(text(in, pair.get(0)), "", in))
                    .own("=")
                    .add(quote(text(in, pair.get(1)), "", in))
                    .build());
        }
        return Strings.join(Str.own("&"), pairs, in.budget());
    }

    private static Str quote(Str str, String safe, Interpreter in) {
        return Strings.map(
                str,
                text -> {
                    StringBuilder out = new StringBuilder();
                    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
                        char c = (char) (b & 0xFF);
                        boolean plain = c < 128
                                && (Character.isLetterOrDigit(c) || "_.-~".indexOf(c) >= 0 || safe.indexOf(c) >= 0);
                        out.append(plain ? String.valueOf(c) : String.format("%%%02X", (int) c));
                    }
                    return safe.isEmpty() ? out.toString().replace("%20", "+") : out.toString();
                },
                in.budget());
    }

    /** Breaks long lines between words. */
    static final class WordWrap {
        private static final Pattern CHUNK = Pattern.compile("\\s+|[^\\s-]*[^\\s\\W]-(?=\\w\\w)|\\S+?(?=\\s|$)|\\S+");

        private WordWrap() {}

        static Value filter(Interpreter in, Value value, Args args) {
            Args.Bound a = args.bind("wordwrap", 0, "width", "break_long_words", "wrapstring", "break_on_hyphens");
            Str end = a.given(2) ? a.text(2, "\n") : NEWLINE;
            int width = a.integer(0, 79);
            if (width < 1) {
                throw new Failure("'wordwrap' needs a positive width");
            }
            List<Str> lines = new ArrayList<>();
            for (Value line : Strings.lines(text(in, value), false, in.budget())) {
                wrap((Str) line, width, a.truth(1, true), a.truth(3, true), lines, in);
            }
            return Strings.join(end, lines, in.budget());
        }

        private static void wrap(Str line, int width, boolean breaks, boolean hyphens, List<Str> out, Interpreter in) {
            int start = out.size();
            int from = -1;
            int to = 0;
            Matcher chunks = (hyphens ? CHUNK : Pattern.compile("\\s+|\\S+")).matcher(line.text());
            while (chunks.find()) {
                in.budget().step();
                boolean space = Chars.isSpace(chunks.group());
                int at = chunks.start();
                int room = from < 0 ? width : width - (at - from);
                if (chunks.end() - at > room) {
                    if (breaks && chunks.end() - at > width) {
                        int head = from < 0 ? at : from;
                        while (chunks.end() - head > width) {
                            out.add(line.slice(head, head + width));
                            in.budget().elements(1);
                            head += width;
                        }
                        from = head;
                        to = chunks.end();
                        continue;
                    }
                    if (from >= 0 && to > from) {
                        out.add(Strings.strip(line.slice(from, to), null, false, true));
                        in.budget().elements(1);
                    }
                    from = space ? -1 : at;
                } else if (from < 0 && (!space || out.size() == start)) {
                    from = at;
                }
                to = chunks.end();
            }
            if (from >= 0 && to > from) {
                Str rest = Strings.strip(line.slice(from, to), null, false, true);
                if (!rest.isEmpty() || out.size() == start) {
                    out.add(rest);
                }
            }
            if (out.size() == start) {
                out.add(Str.EMPTY);
            }
        }
    }
}
