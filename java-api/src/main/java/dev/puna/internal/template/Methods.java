// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Value.Bool;
import dev.puna.internal.template.Value.Callable;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.Kind;
import dev.puna.internal.template.Value.Seq;
import dev.puna.internal.template.Value.Undefined;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The methods of Python's str, list, tuple and dict that a sandboxed template may call. */
final class Methods {
    /** A method of a text. */
    private interface TextMethod {
        Value call(Interpreter in, Str self, Args args);
    }

    private static final Map<String, TextMethod> TEXT = new HashMap<>();
    private static final Set<String> LIST_CHANGES =
            Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
    private static final Set<String> NO_ARGUMENTS = Set.of(
            "upper",
            "lower",
            "casefold",
            "swapcase",
            "capitalize",
            "title",
            "isdigit",
            "isdecimal",
            "isnumeric",
            "isalpha",
            "isalnum",
            "isascii",
            "isspace",
            "isupper",
            "islower");
    private static final Set<String> DICT_CHANGES = Set.of("clear", "pop", "popitem", "setdefault", "update");

    private Methods() {}

    static {
        TEXT.put("strip", (in, self, args) -> strip("strip", self, args, true, true));
        TEXT.put("lstrip", (in, self, args) -> strip("lstrip", self, args, true, false));
        TEXT.put("rstrip", (in, self, args) -> strip("rstrip", self, args, false, true));
        TEXT.put("split", (in, self, args) -> {
            Args.Bound a = args.bind("split", 0, "sep", "maxsplit");
            return Seq.list(Strings.split(self, optional(a, 0), a.integer(1, -1), in.budget()));
        });
        TEXT.put("rsplit", (in, self, args) -> {
            Args.Bound a = args.bind("rsplit", 0, "sep", "maxsplit");
            return Seq.list(Strings.splitRight(self, optional(a, 0), a.integer(1, -1), in.budget()));
        });
        TEXT.put("splitlines", (in, self, args) -> {
            Args.Bound a = args.bind("splitlines", 0, "keepends");
            return Seq.list(Strings.lines(self, a.truth(0, false), in.budget()));
        });
        TEXT.put("startswith", (in, self, args) -> affix(in, "startswith", self, args));
        TEXT.put("endswith", (in, self, args) -> affix(in, "endswith", self, args));
        TEXT.put("replace", (in, self, args) -> {
            Args.Bound a = args.bind("replace", 2, "old", "new", "count");
            return Strings.replace(self, a.text(0, ""), a.text(1, ""), a.integer(2, -1), in.budget());
        });
        TEXT.put("join", (in, self, args) -> {
            List<Str> parts = new ArrayList<>();
            Iterator<Value> elements =
                    Values.iterate(args.bind("join", 1, "iterable").get(0));
            while (elements.hasNext()) {
                if (!(elements.next() instanceof Str part)) {
                    throw new Failure("join() needs texts");
                }
                in.budget().elements(1);
                parts.add(part);
            }
            return Strings.join(self, parts, in.budget());
        });
        TEXT.put("upper", (in, self, args) -> Strings.upper(self, in.budget()));
        TEXT.put("lower", (in, self, args) -> Strings.lower(self, in.budget()));
        TEXT.put(
                "casefold",
                (in, self, args) -> Strings.map(
                        self,
                        text -> text.toUpperCase(java.util.Locale.ROOT).toLowerCase(java.util.Locale.ROOT),
                        in.budget()));
        TEXT.put("swapcase", (in, self, args) -> Strings.map(self, Methods::swapCase, in.budget()));
        TEXT.put("capitalize", (in, self, args) -> Strings.capitalize(self, in.budget()));
        TEXT.put("title", (in, self, args) -> Strings.title(self, c -> !Strings.isCased(c), in.budget()));
        TEXT.put("find", (in, self, args) -> Int.of(find(in, "find", self, args)));
        TEXT.put("rfind", (in, self, args) -> Int.of(find(in, "rfind", self, args)));
        TEXT.put("index", (in, self, args) -> found(find(in, "index", self, args)));
        TEXT.put("rindex", (in, self, args) -> found(find(in, "rindex", self, args)));
        TEXT.put("count", (in, self, args) -> count(in, self, args));
        TEXT.put("format", (in, self, args) -> Formats.braces(self, args, in));
        TEXT.put("isdigit", (in, self, args) -> Bool.of(Strings.all(self, Methods::isDigit)));
        TEXT.put("isdecimal", (in, self, args) -> Bool.of(Strings.all(self, Character::isDigit)));
        TEXT.put("isnumeric", (in, self, args) -> Bool.of(Strings.all(self, Methods::isNumeric)));
        TEXT.put("isalpha", (in, self, args) -> Bool.of(Strings.all(self, Character::isLetter)));
        TEXT.put("isalnum", (in, self, args) -> Bool.of(Strings.all(self, c -> Character.isLetter(c) || isNumeric(c))));
        TEXT.put("isascii", (in, self, args) -> Bool.of(self.text().chars().allMatch(c -> c < 128)));
        TEXT.put("isspace", (in, self, args) -> Bool.of(Strings.all(self, Chars::isSpace)));
        TEXT.put("isupper", (in, self, args) -> Bool.of(Strings.isCase(self, true)));
        TEXT.put("islower", (in, self, args) -> Bool.of(Strings.isCase(self, false)));
        TEXT.put("removeprefix", (in, self, args) -> {
            Str prefix = args.bind("removeprefix", 1, "prefix").text(0, "");
            return self.text().startsWith(prefix.text()) ? self.slice(prefix.length(), self.length()) : self;
        });
        TEXT.put("removesuffix", (in, self, args) -> {
            Str suffix = args.bind("removesuffix", 1, "suffix").text(0, "");
            return self.text().endsWith(suffix.text()) ? self.slice(0, self.length() - suffix.length()) : self;
        });
        TEXT.put("zfill", (in, self, args) -> {
            int width = args.bind("zfill", 1, "width").integer(0, 0);
            int sign = self.text().startsWith("-") || self.text().startsWith("+") ? 1 : 0;
            Str digits = Strings.pad(
                    self.slice(sign, self.length()), Math.max(0, width - sign), Str.own("0"), true, false, in.budget());
            return new StrBuilder(in.budget()).add(self, 0, sign).add(digits).build();
        });
        TEXT.put("ljust", (in, self, args) -> pad(in, "ljust", self, args, false, true));
        TEXT.put("rjust", (in, self, args) -> pad(in, "rjust", self, args, true, false));
        TEXT.put("center", (in, self, args) -> pad(in, "center", self, args, true, true));
        TEXT.put("partition", (in, self, args) -> {
            Str separator = args.bind("partition", 1, "sep").text(0, "");
            return parts(self, separator, self.text().indexOf(separator.text()), false);
        });
        TEXT.put("rpartition", (in, self, args) -> {
            Str separator = args.bind("rpartition", 1, "sep").text(0, "");
            return parts(self, separator, self.text().lastIndexOf(separator.text()), true);
        });
    }

    /** The method of that name; refused ones are undefined, and calling them says why. */
    static @Nullable Value find(Value self, String name) {
        return switch (self) {
            case Str str -> {
                TextMethod method = TEXT.get(name);
                yield method == null ? null : new Callable(name, (in, args) -> callText(in, name, method, str, args));
            }
            case Seq seq
            when seq.kind() == Kind.GROUP && name.equals("grouper") ->
                seq.items().get(0);
            case Seq seq
            when seq.kind() == Kind.GROUP && name.equals("list") -> seq.items().get(1);
            case Seq seq
            when !seq.kind().view() ->
                seq.kind() == Kind.LIST && LIST_CHANGES.contains(name) ? refused("list", name) : ofList(seq, name);
            case Dict dict -> DICT_CHANGES.contains(name) ? refused("dict", name) : ofDict(dict, name);
            default -> null;
        };
    }

    private static Value callText(Interpreter in, String name, TextMethod method, Str self, Args args) {
        if (NO_ARGUMENTS.contains(name)) {
            args.bind(name, 0);
        }
        in.budget().scan(self.length());
        for (Value value : args.positional()) {
            in.budget().scan(value instanceof Str str ? str.length() : 0);
        }
        if (!self.markup()) {
            return method.call(in, self, args);
        }
        // Markup escapes what comes into it and gives markup back.
        Args safe = args;
        if (Set.of("join", "replace", "format").contains(name)) {
            List<Value> positional = new ArrayList<>();
            for (int i = 0; i < args.positional().size(); i++) {
                Value value = args.positional().get(i);
                boolean find = name.equals("replace") && i == 0;
                positional.add(find ? value : TextFilters.escapeAll(value, in.budget()));
            }
            Map<String, Value> named = new LinkedHashMap<>();
            args.named().forEach((key, value) -> named.put(key, TextFilters.escapeAll(value, in.budget())));
            safe = new Args(positional, named);
        }
        return switch (method.call(in, self, safe)) {
            case Str str -> str.asMarkup(true);
            case Seq seq ->
                new Seq(
                        seq.kind(),
                        seq.items().stream()
                                .map(item -> item instanceof Str str ? (Value) str.asMarkup(true) : item)
                                .toList(),
                        seq.trusted());
            case Value other -> other;
        };
    }

    private static Undefined refused(String type, String name) {
        return new Undefined("a template may not change a " + type + ": '" + name + "' is not allowed");
    }

    private static @Nullable Value ofList(Seq seq, String name) {
        return switch (name) {
            case "copy" ->
                seq.kind() == Kind.LIST
                        ? new Callable(name, (in, args) -> {
                            in.budget().elements(seq.items().size());
                            return new Seq(Kind.LIST, new ArrayList<>(seq.items()), seq.trusted());
                        })
                        : null;
            case "count" ->
                new Callable(name, (in, args) -> {
                    Value wanted = args.bind("count", 1, "value").get(0);
                    return Int.of(seq.items().stream()
                            .filter(item -> Operators.equal(item, wanted, in.budget()))
                            .count());
                });
            case "index" ->
                new Callable(name, (in, args) -> {
                    Args.Bound a = args.bind("index", 1, "value", "start", "stop");
                    int size = seq.items().size();
                    int from = clamp(a.integer(1, 0), size);
                    int to = clamp(a.integer(2, size), size);
                    for (int i = from; i < to; i++) {
                        in.budget().step();
                        if (Operators.equal(seq.items().get(i), a.get(0), in.budget())) {
                            return Int.of(i);
                        }
                    }
                    throw new Failure("index() did not find the value");
                });
            default -> null;
        };
    }

    private static @Nullable Value ofDict(Dict dict, String name) {
        return switch (name) {
            case "items" ->
                new Callable(name, (in, args) -> {
                    args.bind(name, 0);
                    in.budget().elements(2L * dict.entries().size());
                    List<Value> items = new ArrayList<>();
                    dict.entries().forEach((key, value) -> items.add(Seq.tuple(key, value)));
                    return new Seq(Kind.ITEMS, items, dict.trusted());
                });
            case "keys" ->
                new Callable(name, (in, args) -> {
                    args.bind(name, 0);
                    in.budget().elements(dict.entries().size());
                    return new Seq(Kind.KEYS, new ArrayList<>(dict.entries().keySet()), dict.trusted());
                });
            case "values" ->
                new Callable(name, (in, args) -> {
                    args.bind(name, 0);
                    in.budget().elements(dict.entries().size());
                    return new Seq(Kind.VALUES, new ArrayList<>(dict.entries().values()), dict.trusted());
                });
            case "get" ->
                new Callable(name, (in, args) -> {
                    Args.Bound a = args.bind("get", 1, "key", "default");
                    Value value = Operators.lookup(dict, a.get(0), in.budget());
                    return value != null ? value : a.get(1);
                });
            case "copy" ->
                new Callable(name, (in, args) -> {
                    args.bind(name, 0);
                    in.budget().elements(dict.entries().size());
                    return new Dict(new LinkedHashMap<>(dict.entries()), dict.trusted());
                });
            default -> null;
        };
    }

    // ---- texts

    private static @Nullable Str optional(Args.Bound args, int i) {
        return args.given(i) ? args.text(i, "") : null;
    }

    private static Value strip(String name, Str self, Args args, boolean left, boolean right) {
        return Strings.strip(self, optional(args.bind(name, 0, "chars"), 0), left, right);
    }

    private static Value pad(Interpreter in, String name, Str self, Args args, boolean left, boolean right) {
        Args.Bound a = args.bind(name, 1, "width", "fillchar");
        return Strings.pad(self, a.integer(0, 0), a.text(1, " "), left, right, in.budget());
    }

    private static Value affix(Interpreter in, String name, Str self, Args args) {
        Args.Bound a = args.bind(name, 1, "prefix", "start", "end");
        String part = part(self, a, 1, 2);
        List<Value> wanted = a.get(0) instanceof Seq seq && seq.kind().tuple() ? seq.items() : List.of(a.get(0));
        for (Value one : wanted) {
            in.budget().step();
            if (!(one instanceof Str text)) {
                throw new Failure(
                        name + "() needs a text or a tuple of texts, not " + Values.typeName(Values.defined(one)));
            }
            if (name.equals("startswith") ? part.startsWith(text.text()) : part.endsWith(text.text())) {
                return Bool.TRUE;
            }
        }
        return Bool.FALSE;
    }

    /** The text between two optional bounds. */
    private static String part(Str self, Args.Bound a, int first, int last) {
        if (!a.given(first) && !a.given(last)) {
            return self.text();
        }
        int size = self.codePoints();
        int from = a.given(first) ? clamp(a.integer(first, 0), size) : 0;
        int to = a.given(last) ? clamp(a.integer(last, size), size) : size;
        return from >= to ? "" : self.text().substring(self.offset(from), self.offset(to));
    }

    private static int clamp(int index, int size) {
        return Math.clamp(index < 0 ? (long) index + size : index, 0, size);
    }

    private static int find(Interpreter in, String name, Str self, Args args) {
        Args.Bound a = args.bind(name, 1, "sub", "start", "end");
        in.budget().scan(self.length());
        String part = part(self, a, 1, 2);
        String wanted = a.text(0, "").text();
        int at = name.startsWith("r") ? part.lastIndexOf(wanted) : part.indexOf(wanted);
        int from = a.given(1) ? clamp(a.integer(1, 0), self.codePoints()) : 0;
        return at < 0 ? -1 : from + part.codePointCount(0, at);
    }

    private static Value found(int index) {
        if (index < 0) {
            throw new Failure("index() did not find the text");
        }
        return Int.of(index);
    }

    private static Value count(Interpreter in, Str self, Args args) {
        Args.Bound a = args.bind("count", 1, "sub", "start", "end");
        in.budget().scan(self.length());
        String part = part(self, a, 1, 2);
        String wanted = a.text(0, "").text();
        if (wanted.isEmpty()) {
            return Int.of(part.codePointCount(0, part.length()) + 1L);
        }
        int count = 0;
        for (int at = part.indexOf(wanted); at >= 0; at = part.indexOf(wanted, at + wanted.length())) {
            count++;
        }
        return Int.of(count);
    }

    private static Value parts(Str self, Str separator, int at, boolean right) {
        if (separator.isEmpty()) {
            throw new Failure("partition() needs a separator that is not empty");
        }
        if (at < 0) {
            return right ? Seq.tuple(Str.EMPTY, Str.EMPTY, self) : Seq.tuple(self, Str.EMPTY, Str.EMPTY);
        }
        int end = at + separator.length();
        return Seq.tuple(self.slice(0, at), self.slice(at, end), self.slice(end, self.length()));
    }

    private static String swapCase(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            String one = Character.toString(c);
            out.append(
                    Character.isUpperCase(c)
                            ? one.toLowerCase(java.util.Locale.ROOT)
                            : one.toUpperCase(java.util.Locale.ROOT));
        });
        return out.toString();
    }

    private static boolean isDigit(int c) {
        return Character.isDigit(c) || "²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉".indexOf(c) >= 0;
    }

    private static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
    }
}
