// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Value.Callable;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Helper;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.Kind;
import dev.puna.internal.template.Value.Namespace;
import dev.puna.internal.template.Value.None;
import dev.puna.internal.template.Value.Seq;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template knows. */
final class Globals {
    private static final Map<String, Value> ALL = Map.of(
            "raise_exception", new Callable("raise_exception", Globals::raise),
            "strftime_now", new Callable("strftime_now", Globals::now),
            "range", new Callable("range", Globals::range),
            "dict", new Callable("dict", Globals::dict),
            "namespace", new Callable("namespace", Globals::namespace),
            "cycler", new Callable("cycler", Globals::cycler),
            "joiner", new Callable("joiner", Globals::joiner));

    private Globals() {}

    static Map<String, Value> all() {
        return ALL;
    }

    private static Value raise(Interpreter in, Args args) {
        throw new Failure(Text.str(args.bind("raise_exception", 1, "message").get(0), in.budget())
                .text());
    }

    private static Value now(Interpreter in, Args args) {
        Str format = args.bind("strftime_now", 1, "format").text(0, "");
        return Strftime.format(format, in.clock(), in.budget());
    }

    private static Value range(Interpreter in, Args args) {
        int count = args.positional().size();
        if (count < 1 || count > 3 || !args.named().isEmpty()) {
            throw new Failure("range() takes one to three numbers");
        }
        BigInteger from =
                count == 1 ? BigInteger.ZERO : Operators.whole(args.positional().get(0));
        BigInteger to = Operators.whole(args.positional().get(count == 1 ? 0 : 1));
        BigInteger step = count == 3 ? Operators.whole(args.positional().get(2)) : BigInteger.ONE;
        if (step.signum() == 0) {
            throw new Failure("range()'s step cannot be zero");
        }
        BigInteger distance = step.signum() > 0 ? to.subtract(from) : from.subtract(to);
        BigInteger size = distance.signum() <= 0
                ? BigInteger.ZERO
                : distance.subtract(BigInteger.ONE).divide(step.abs()).add(BigInteger.ONE);
        in.budget().range(size.bitLength() < 63 ? size.longValue() : Long.MAX_VALUE);
        List<Value> numbers = new ArrayList<>();
        BigInteger number = from;
        for (int i = 0; i < size.intValue(); i++) {
            numbers.add(new Int(number));
            number = number.add(step);
        }
        return new Seq(Kind.RANGE, numbers, true);
    }

    private static Map<Value, Value> entries(Interpreter in, String name, Args args) {
        Map<Value, Value> entries = new LinkedHashMap<>();
        if (args.positional().size() > 1) {
            throw new Failure(name + "() takes at most one argument by position");
        }
        for (Value source : args.positional()) {
            if (source instanceof Dict dict) {
                in.budget().elements(dict.entries().size());
                entries.putAll(dict.entries());
            } else {
                for (Value pair : Values.list(source, in.budget())) {
                    List<Value> two = Values.list(pair, in.budget());
                    if (two.size() != 2) {
                        throw new Failure(name + "() needs pairs of a key and a value");
                    }
                    Values.key(two.get(0), in.budget());
                    entries.put(two.get(0), two.get(1));
                }
            }
        }
        args.named().forEach((key, value) -> entries.put(Str.own(key), value));
        return entries;
    }

    private static Value dict(Interpreter in, Args args) {
        boolean trusted = args.positional().stream().allMatch(Values::trusted);
        return new Dict(entries(in, "dict", args), trusted);
    }

    private static Value namespace(Interpreter in, Args args) {
        LinkedHashMap<String, Value> attributes = new LinkedHashMap<>();
        entries(in, "namespace", args).forEach((key, value) -> attributes.put(Text.plain(key), value));
        return new Namespace(attributes);
    }

    private static Value cycler(Interpreter in, Args args) {
        List<Value> items = args.positional();
        if (items.isEmpty()) {
            throw new Failure("cycler() needs something to cycle through");
        }
        int[] at = new int[1];
        Map<String, Value> attributes = new LinkedHashMap<>();
        Helper cycler = new Helper("Cycler", attributes);
        attributes.put("current", items.get(0));
        attributes.put("next", new Callable("next", (inner, none) -> {
            Value value = items.get(at[0]);
            at[0] = (at[0] + 1) % items.size();
            attributes.put("current", items.get(at[0]));
            return value;
        }));
        attributes.put("reset", new Callable("reset", (inner, none) -> {
            at[0] = 0;
            attributes.put("current", items.get(0));
            return None.NONE;
        }));
        return cycler;
    }

    private static Value joiner(Interpreter in, Args args) {
        Str separator = args.bind("joiner", 0, "sep").text(0, ", ");
        boolean[] used = new boolean[1];
        return new Helper("Joiner", Map.of("()", new Callable("joiner", (inner, none) -> {
            Value value = used[0] ? separator : Str.EMPTY;
            used[0] = true;
            return value;
        })));
    }
}
