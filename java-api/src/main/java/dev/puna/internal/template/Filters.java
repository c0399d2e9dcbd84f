// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Interpreter.Lazy;
import dev.puna.internal.template.Value.Bool;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Flt;
import dev.puna.internal.template.Value.Generator;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.Kind;
import dev.puna.internal.template.Value.None;
import dev.puna.internal.template.Value.Seq;
import dev.puna.internal.template.Value.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Filters on numbers and on sequences; those on texts are in {@link TextFilters}. */
final class Filters {
    /** What a filter does. */
    interface Filter {
        Value apply(Interpreter in, Value value, Args args);
    }

    private static final Map<String, Filter> ALL = new HashMap<>();
    private static final Set<String> NO_ARGUMENTS = Set.of(
            "abs",
            "capitalize",
            "count",
            "e",
            "escape",
            "first",
            "forceescape",
            "items",
            "last",
            "length",
            "list",
            "lower",
            "reverse",
            "safe",
            "string",
            "striptags",
            "title",
            "upper",
            "wordcount");
    /** Filters that give markup for markup; the others give plain text. */
    private static final Set<String> KEEP_MARKUP =
            Set.of("capitalize", "center", "indent", "last", "lower", "reverse", "string", "trim", "truncate", "upper");

    private Filters() {}

    static {
        TextFilters.register(ALL);
        ALL.put("abs", (in, value, args) -> absolute(value));
        ALL.put("attr", (in, value, args) -> {
            Str name = args.bind("attr", 1, "name").text(0, "");
            return value instanceof Dict && Methods.find(value, name.text()) == null
                    ? new Undefined("a dict has no attribute '" + name + "'")
                    : Values.attribute(value, name.text());
        });
        ALL.put("batch", Filters::batch);
        ALL.put("slice", Filters::slice);
        ALL.put("count", (in, value, args) -> Int.of(Values.length(value)));
        ALL.put("length", (in, value, args) -> Int.of(Values.length(value)));
        ALL.put("default", Filters::otherwise);
        ALL.put("d", Filters::otherwise);
        ALL.put("dictsort", Filters::dictSort);
        ALL.put("first", (in, value, args) -> {
            Iterator<Value> elements = Values.iterate(value);
            return elements.hasNext() ? elements.next() : new Undefined("an empty sequence has no first item");
        });
        ALL.put("last", (in, value, args) -> {
            List<Value> items = reversible(in, value);
            return items.isEmpty() ? new Undefined("an empty sequence has no last item") : items.getLast();
        });
        ALL.put("float", Filters::toFloat);
        ALL.put("int", Filters::toInt);
        ALL.put("round", Filters::round);
        ALL.put("groupby", Filters::groupBy);
        ALL.put("items", (in, value, args) -> {
            if (value instanceof Dict dict) {
                return lazy(dict.entries().entrySet().iterator(), e -> Seq.tuple(e.getKey(), e.getValue()));
            }
            if (value instanceof Undefined) {
                return new Generator(List.<Value>of().iterator());
            }
            throw new Failure("'items' needs a dict, not " + Values.typeName(value));
        });
        ALL.put("list", (in, value, args) -> {
            List<Value> items = new ArrayList<>(Values.list(value, in.budget()));
            in.budget().elements(items.size());
            return new Seq(Kind.LIST, items, Values.trusted(value));
        });
        ALL.put("map", Filters::map);
        ALL.put("max", (in, value, args) -> extreme(in, value, args, true));
        ALL.put("min", (in, value, args) -> extreme(in, value, args, false));
        ALL.put("reverse", (in, value, args) -> {
            if (value instanceof Str str) {
                return Strings.reverse(str, in.budget());
            }
            List<Value> items = Values.list(value, in.budget());
            return new Generator(items.reversed().iterator());
        });
        ALL.put("select", (in, value, args) -> select(in, value, args, false, true));
        ALL.put("reject", (in, value, args) -> select(in, value, args, false, false));
        ALL.put("selectattr", (in, value, args) -> select(in, value, args, true, true));
        ALL.put("rejectattr", (in, value, args) -> select(in, value, args, true, false));
        ALL.put("sort", Filters::sort);
        ALL.put("sum", Filters::sum);
        ALL.put("unique", Filters::unique);
        ALL.put("tojson", Json::write);
    }

    static boolean exists(String name) {
        return ALL.containsKey(name);
    }

    static Value apply(Interpreter in, String name, Value value, Args args) {
        Filter filter = ALL.get(name);
        if (filter == null) {
            throw new Failure("there is no filter '" + name + "'");
        }
        if (NO_ARGUMENTS.contains(name)) {
            args.bind(name, 0);
        }
        in.budget().scan(value instanceof Str str ? str.length() : 0);
        Value result = filter.apply(in, value, args);
        return value instanceof Str input && input.markup() && result instanceof Str text && KEEP_MARKUP.contains(name)
                ? text.asMarkup(true)
                : result;
    }

    private static <T> Generator lazy(Iterator<T> source, Function<T, Value> make) {
        return new Generator(new Lazy(() -> source.hasNext() ? make.apply(source.next()) : null));
    }

    // ---- numbers

    private static Value absolute(Value value) {
        return value instanceof Flt number
                ? new Flt(Math.abs(number.value()))
                : new Int(Operators.whole(value).abs());
    }

    private static Value toInt(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("int", 0, "default", "base");
        Value otherwise = a.or(0, Int.of(0));
        switch (Values.defined(value)) {
            case Int number -> {
                return number;
            }
            case Bool flag -> {
                return new Int(Operators.whole(flag));
            }
            case Flt number -> {
                boolean finite = !Double.isNaN(number.value()) && !Double.isInfinite(number.value());
                return finite ? new Int(Formats.truncate(number.value())) : otherwise;
            }
            case Str str -> {
                in.budget().characters(str.length());
                BigInteger whole = Numbers.parseInt(str.text(), a.integer(1, 10));
                if (whole != null) {
                    return new Int(whole);
                }
                Double real = Numbers.parseFloat(str.text());
                return real == null || real.isNaN() || real.isInfinite() ? otherwise : new Int(Formats.truncate(real));
            }
            default -> {
                return otherwise;
            }
        }
    }

    private static Value toFloat(Interpreter in, Value value, Args args) {
        Value otherwise = args.bind("float", 0, "default").or(0, new Flt(0));
        if (Operators.isNumber(Values.defined(value))) {
            return new Flt(Operators.real(value));
        }
        Double number = value instanceof Str str ? Numbers.parseFloat(str.text()) : null;
        return number != null ? new Flt(number) : otherwise;
    }

    private static Value round(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("round", 0, "precision", "method");
        int precision = Math.clamp(a.integer(0, 0), -400, 400);
        String method = a.text(1, "common").text();
        if (!Operators.isNumber(Values.defined(value))) {
            throw new Failure("'round' needs a number, not " + Values.typeName(value));
        }
        double number = Operators.real(value);
        switch (method) {
            case "common" -> {
                if (!(value instanceof Flt)) {
                    BigDecimal whole = new BigDecimal(Operators.whole(value));
                    return new Int(
                            precision >= 0
                                    ? whole.toBigInteger()
                                    : whole.setScale(precision, RoundingMode.HALF_EVEN)
                                            .toBigInteger());
                }
                boolean finite = !Double.isNaN(number) && !Double.isInfinite(number);
                return new Flt(
                        finite
                                ? new BigDecimal(number)
                                        .setScale(precision, RoundingMode.HALF_EVEN)
                                        .doubleValue()
                                : number);
            }
            case "ceil", "floor" -> {
                double scale = Math.pow(10, precision);
                double scaled = number * scale;
                return new Flt((method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled)) / scale);
            }
            default -> throw new Failure("'round' knows common, ceil and floor, not '" + method + "'");
        }
    }

    private static Value otherwise(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("default", 0, "default_value", "boolean");
        boolean missing = value instanceof Undefined || (a.truth(1, false) && !Values.truthy(value));
        return missing ? a.or(0, Str.EMPTY) : value;
    }

    // ---- sequences

    private static List<Value> reversible(Interpreter in, Value value) {
        if (value instanceof Generator) {
            throw new Failure("a generator has no last item");
        }
        return Values.list(value, in.budget());
    }

    /** Follows "a.b.0" into an element; an int does it by index. */
    static Value follow(Value element, Value path, Budget budget) {
        if (!(path instanceof Str text)) {
            return Values.item(element, path, budget);
        }
        Value value = element;
        for (String part : text.text().split("\\.", -1)) {
            boolean index = !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9') && part.length() < 9;
            value = Values.item(value, index ? Int.of(Long.parseLong(part)) : Str.own(part), budget);
        }
        return value;
    }

    private static Value folded(Interpreter in, Value value, boolean caseSensitive) {
        return !caseSensitive && value instanceof Str str ? Strings.lower(str, in.budget()) : value;
    }

    /** What map and select walk through: anything that counts as false has no elements. */
    private static Iterator<Value> elements(Value value) {
        return Values.truthy(value) ? Values.iterate(value) : List.<Value>of().iterator();
    }

    private static Value map(Interpreter in, Value value, Args args) {
        Iterator<Value> elements = elements(value);
        if (args.positional().isEmpty() && args.named().containsKey("attribute")) {
            Args.Bound a = args.bind("map", 1, "attribute", "default");
            return lazy(elements, element -> {
                in.budget().step();
                Value found = follow(element, a.get(0), in.budget());
                return found instanceof Undefined && a.has(1) ? a.get(1) : found;
            });
        }
        String name = name("map", args);
        Args rest = args.skip(1);
        if (!exists(name)) {
            throw new Failure("there is no filter '" + name + "'");
        }
        return lazy(elements, element -> {
            in.budget().step();
            return apply(in, name, element, rest);
        });
    }

    private static String name(String filter, Args args) {
        if (args.positional().isEmpty() || !(args.positional().get(0) instanceof Str name)) {
            throw new Failure("'" + filter + "' needs a name");
        }
        return name.text();
    }

    private static Value select(Interpreter in, Value value, Args args, boolean byAttribute, boolean wanted) {
        Iterator<Value> elements = elements(value);
        if (byAttribute && args.positional().isEmpty()) {
            throw new Failure("the name of an attribute is missing");
        }
        Args rest = byAttribute ? args.skip(1) : args;
        String test = rest.positional().isEmpty() ? "" : name("select", rest);
        Args testArgs = rest.skip(1);
        return new Generator(new Lazy(() -> {
            while (elements.hasNext()) {
                in.budget().step();
                Value element = elements.next();
                Value looked = byAttribute ? follow(element, args.positional().get(0), in.budget()) : element;
                boolean holds = test.isEmpty() ? Values.truthy(looked) : Predicates.test(in, test, looked, testArgs);
                if (holds == wanted) {
                    return element;
                }
            }
            return null;
        }));
    }

    /** Sorts within the budget; the order of what has none is an error. */
    private static List<Value> sorted(Interpreter in, List<Value> items, Function<Value, Value> key, boolean reverse) {
        record Keyed(Value key, Value item) {}
        List<Keyed> keyed = new ArrayList<>();
        in.budget().elements(2L * items.size());
        items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
        Comparator<Keyed> order = (a, b) -> {
            in.budget().step();
            return Operators.compare(a.key(), b.key(), in.budget());
        };
        keyed.sort(reverse ? order.reversed() : order);
        List<Value> result = new ArrayList<>();
        keyed.forEach(one -> result.add(one.item()));
        return result;
    }

    /** The key of an element: itself, or the attributes named, several with commas. */
    private static Function<Value, Value> key(Interpreter in, Value attribute, boolean caseSensitive) {
        if (attribute == None.NONE) {
            return element -> folded(in, element, caseSensitive);
        }
        if (!(attribute instanceof Str names) || !names.text().contains(",")) {
            return element -> folded(in, follow(element, attribute, in.budget()), caseSensitive);
        }
        return element -> {
            List<Value> keys = new ArrayList<>();
            for (String name : names.text().split(",")) {
                keys.add(folded(in, follow(element, Str.own(name), in.budget()), caseSensitive));
            }
            return Seq.list(keys);
        };
    }

    private static Value sort(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("sort", 0, "reverse", "case_sensitive", "attribute");
        List<Value> items = Values.list(value, in.budget());
        return new Seq(
                Kind.LIST,
                sorted(in, items, key(in, a.get(2), a.truth(1, false)), a.truth(0, false)),
                Values.trusted(value));
    }

    private static Value dictSort(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("dictsort", 0, "case_sensitive", "by", "reverse");
        String by = a.text(1, "key").text();
        if (!(Values.defined(value) instanceof Dict dict) || (!by.equals("key") && !by.equals("value"))) {
            throw new Failure("'dictsort' sorts a dict by 'key' or 'value'");
        }
        List<Value> pairs = new ArrayList<>();
        dict.entries().forEach((key, item) -> pairs.add(Seq.tuple(key, item)));
        int part = by.equals("key") ? 0 : 1;
        boolean caseSensitive = a.truth(0, false);
        return Seq.list(sorted(
                in, pairs, pair -> folded(in, ((Seq) pair).items().get(part), caseSensitive), a.truth(2, false)));
    }

    private static Value groupBy(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("groupby", 1, "attribute", "default", "case_sensitive");
        boolean caseSensitive = a.truth(2, false);
        Function<Value, Value> plain = element -> {
            Value found = follow(element, a.get(0), in.budget());
            return found instanceof Undefined && a.has(1) ? a.get(1) : found;
        };
        Function<Value, Value> key = element -> folded(in, plain.apply(element), caseSensitive);
        List<Value> groups = new ArrayList<>();
        List<Value> members = new ArrayList<>();
        Value last = None.NONE;
        for (Value element : sorted(in, Values.list(value, in.budget()), key, false)) {
            Value current = key.apply(element);
            if (members.isEmpty() || !Operators.equal(current, last, in.budget())) {
                members = new ArrayList<>();
                groups.add(new Seq(Kind.GROUP, List.of(plain.apply(element), Seq.list(members)), true));
                last = current;
            }
            members.add(element);
        }
        return Seq.list(groups);
    }

    private static Value extreme(Interpreter in, Value value, Args args, boolean largest) {
        Args.Bound a = args.bind(largest ? "max" : "min", 0, "case_sensitive", "attribute");
        Function<Value, Value> key = key(in, a.get(1), a.truth(0, false));
        Iterator<Value> elements = Values.iterate(value);
        if (!elements.hasNext()) {
            return new Undefined("an empty sequence has no least or greatest item");
        }
        Value best = elements.next();
        Value bestKey = key.apply(best);
        while (elements.hasNext()) {
            in.budget().step();
            Value element = elements.next();
            Value elementKey = key.apply(element);
            int order = Operators.compare(elementKey, bestKey, in.budget());
            if (largest ? order > 0 : order < 0) {
                best = element;
                bestKey = elementKey;
            }
        }
        return best;
    }

    private static Value sum(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("sum", 0, "attribute", "start");
        Value sum = a.or(1, Int.of(0));
        Iterator<Value> elements = Values.iterate(value);
        while (elements.hasNext()) {
            in.budget().step();
            Value element = elements.next();
            Value term = a.given(0) ? follow(element, a.get(0), in.budget()) : element;
            if (sum instanceof Str) {
                throw new Failure("'sum' does not add texts; use 'join'");
            }
            sum = Operators.apply("+", sum, term, in);
        }
        return sum;
    }

    private static Value unique(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("unique", 0, "case_sensitive", "attribute");
        Function<Value, Value> key = key(in, a.get(1), a.truth(0, false));
        Set<Value> seen = new HashSet<>();
        Iterator<Value> elements = Values.iterate(value);
        return new Generator(new Lazy(() -> {
            while (elements.hasNext()) {
                in.budget().elements(1);
                Value element = elements.next();
                Value found = key.apply(element);
                Values.key(found, in.budget());
                if (seen.add(found)) {
                    return element;
                }
            }
            return null;
        }));
    }

    private static Value batch(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("batch", 1, "linecount", "fill_with");
        int size = Math.max(1, a.integer(0, 1));
        Iterator<Value> elements = Values.iterate(value);
        return new Generator(new Lazy(() -> {
            List<Value> row = new ArrayList<>();
            while (elements.hasNext() && row.size() < size) {
                in.budget().elements(1);
                row.add(elements.next());
            }
            if (row.isEmpty()) {
                return null;
            }
            while (a.given(1) && row.size() < size) {
                in.budget().elements(1);
                row.add(a.get(1));
            }
            return Seq.list(row);
        }));
    }

    private static Value slice(Interpreter in, Value value, Args args) {
        Args.Bound a = args.bind("slice", 1, "slices", "fill_with");
        List<Value> items = Values.list(value, in.budget());
        int slices = a.integer(0, 1);
        if (slices < 1) {
            throw new Failure("'slice' needs a positive number of slices");
        }
        in.budget().elements(items.size() + (long) slices);
        int each = items.size() / slices;
        int longer = items.size() % slices;
        List<Value> rows = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < slices; i++) {
            int to = from + each + (i < longer ? 1 : 0);
            List<Value> row = new ArrayList<>(items.subList(from, to));
            if (a.given(1) && i >= longer) {
                row.add(a.get(1));
            }
            rows.add(Seq.list(row));
            from = to;
        }
        return new Generator(rows.iterator());
    }
}
