// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Value.Bool;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Flt;
import dev.puna.internal.template.Value.Generator;
import dev.puna.internal.template.Value.Helper;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.Kind;
import dev.puna.internal.template.Value.Loop;
import dev.puna.internal.template.Value.Namespace;
import dev.puna.internal.template.Value.None;
import dev.puna.internal.template.Value.Seq;
import dev.puna.internal.template.Value.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** What every value can do: come in from Java, be true or false, be walked through, have attributes and items. */
final class Values {
    private static final int MAX_INPUT_DEPTH = 100;

    private Values() {}

    // ---- from Java

    /** A value from outside; every text in it is marked with its origin. */
    static Value from(@Nullable Object object, boolean trusted, int depth) {
        if (depth > MAX_INPUT_DEPTH) {
            throw new Failure("a variable is nested deeper than " + MAX_INPUT_DEPTH);
        }
        return switch (object) {
            case null -> None.NONE;
            case CharSequence text -> Str.of(text.toString(), trusted);
            case Boolean flag -> Bool.of(flag);
            case BigInteger number
            when number.bitLength() > Operators.MAX_BITS ->
                throw new Failure("a variable is a number of more than " + Operators.MAX_BITS + " bits");
            case BigInteger number -> new Int(number);
            case Float number -> new Flt(Double.parseDouble(number.toString()));
            case Double number -> new Flt(number);
            case BigDecimal number -> new Flt(number.doubleValue());
            case Number number -> Int.of(number.longValue());
            case Map<?, ?> map -> {
                Map<Value, Value> entries = new LinkedHashMap<>();
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    entries.put(from(entry.getKey(), trusted, depth + 1), from(entry.getValue(), trusted, depth + 1));
                }
                yield new Dict(entries, trusted);
            }
            case List<?> list -> {
                List<Value> items = new ArrayList<>(list.size());
                for (Object item : list) {
                    items.add(from(item, trusted, depth + 1));
                }
                yield new Seq(Kind.LIST, items, trusted);
            }
            default ->
                throw new Failure(
                        "a variable of type " + object.getClass().getName() + " cannot be used in a template");
        };
    }

    /** About how much text a value holds. */
    static long size(Value value) {
        return switch (value) {
            case Str str -> str.length();
            case Seq seq -> 1 + seq.items().stream().mapToLong(Values::size).sum();
            case Dict dict -> {
                long sum = 1;
                for (Map.Entry<Value, Value> entry : dict.entries().entrySet()) {
                    sum += size(entry.getKey()) + size(entry.getValue());
                }
                yield sum;
            }
            default -> 1;
        };
    }

    // ---- every value

    static boolean truthy(Value value) {
        return switch (value) {
            case Str str -> !str.isEmpty();
            case Bool bool -> bool.value();
            case Int number -> number.value().signum() != 0;
            case Flt number -> number.value() != 0;
            case Seq seq -> !seq.items().isEmpty();
            case Dict dict -> !dict.entries().isEmpty();
            case None none -> false;
            case Undefined undefined -> false;
            default -> true;
        };
    }

    static String typeName(Value value) {
        return switch (value) {
            case Str str -> "str";
            case Bool bool -> "bool";
            case Int number -> "int";
            case Flt number -> "float";
            case Seq seq -> seq.kind().python;
            case Dict dict -> "dict";
            case None none -> "NoneType";
            case Undefined undefined -> "Undefined";
            case Generator generator -> "generator";
            case Namespace namespace -> "Namespace";
            case Value.Callable callable -> "function";
            case Helper helper -> helper.name();
            case Loop loop -> "LoopContext";
        };
    }

    /** A whole number that fits an int. */
    static int integer(Value value, String where) {
        BigInteger number = switch (value) {
            case Int i -> i.value();
            case Bool b -> b.value() ? BigInteger.ONE : BigInteger.ZERO;
            default -> throw new Failure(where + " needs a whole number, not " + typeName(defined(value)));
        };
        if (number.bitLength() > 31) {
            return number.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
        }
        return number.intValue();
    }

    static Value defined(Value value) {
        if (value instanceof Undefined undefined) {
            throw new Failure(undefined.reason());
        }
        return value;
    }

    static int length(Value value) {
        return switch (value) {
            case Str str -> str.codePoints();
            case Seq seq -> seq.items().size();
            case Dict dict -> dict.entries().size();
            case Undefined undefined -> 0;
            case Loop loop -> loop.length();
            default -> throw new Failure("a value of type " + typeName(value) + " has no length");
        };
    }

    static boolean iterable(Value value) {
        return switch (value) {
            case Str str -> true;
            case Seq seq -> true;
            case Dict dict -> true;
            case Undefined undefined -> true;
            case Generator generator -> true;
            case Loop loop -> true;
            default -> false;
        };
    }

    static Iterator<Value> iterate(Value value) {
        return switch (value) {
            case Str str -> characters(str);
            case Seq seq -> seq.items().iterator();
            case Dict dict -> dict.entries().keySet().iterator();
            case Generator generator -> generator.elements();
            case Undefined undefined -> List.<Value>of().iterator();
            default -> throw new Failure("a value of type " + typeName(value) + " cannot be walked through");
        };
    }

    private static Iterator<Value> characters(Str str) {
        return new Iterator<>() {
            private int at;

            @Override
            public boolean hasNext() {
                return at < str.length();
            }

            @Override
            public Value next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                int from = at;
                at = str.text().offsetByCodePoints(at, 1);
                return str.slice(from, at).asMarkup(false);
            }
        };
    }

    static List<Value> list(Value value, Budget budget) {
        if (value instanceof Seq seq) {
            return seq.items();
        }
        List<Value> items = new ArrayList<>();
        Iterator<Value> elements = iterate(value);
        while (elements.hasNext()) {
            budget.elements(1);
            items.add(elements.next());
        }
        return items;
    }

    /** Whether a list made of the elements of a value has brackets of its own or of whoever made that value. */
    static boolean trusted(Value value) {
        return switch (value) {
            case Seq seq -> seq.trusted();
            case Dict dict -> dict.trusted();
            case Str str -> str.trusted();
            default -> true;
        };
    }

    // ---- attributes and items

    /** {@code object.name}: a method or attribute first, then the item of that name. */
    static Value attribute(Value object, String name) {
        switch (object) {
            case Undefined undefined -> throw new Failure(undefined.reason());
            case Namespace namespace -> {
                Value value = namespace.attributes().get(name);
                return value != null ? value : missing(object, name);
            }
            case Helper helper -> {
                Value value = helper.attributes().get(name);
                return value != null ? value : missing(object, name);
            }
            case Loop loop -> {
                return loopAttribute(loop, name);
            }
            default -> {}
        }
        Value method = Methods.find(object, name);
        if (method != null) {
            return method;
        }
        if (object instanceof Dict dict) {
            Value value = dict.get(name);
            return value != null ? value : missing(object, name);
        }
        return missing(object, name);
    }

    private static Undefined missing(Value object, String name) {
        return new Undefined("a value of type " + typeName(object) + " has no attribute '" + name + "'");
    }

    private static Value loopAttribute(Loop loop, String name) {
        return switch (name) {
            case "index" -> Int.of(loop.index() + 1L);
            case "index0" -> Int.of(loop.index());
            case "first" -> Bool.of(loop.index() == 0);
            case "last" -> Bool.of(!loop.hasNext());
            case "length" -> Int.of(loop.length());
            case "revindex" -> Int.of(loop.length() - (long) loop.index());
            case "revindex0" -> Int.of(loop.length() - (long) loop.index() - 1);
            case "previtem" -> loop.previous();
            case "nextitem" -> loop.following();
            case "depth" -> Int.of(loop.depth);
            case "depth0" -> Int.of(loop.depth - 1L);
            case "cycle" ->
                new Value.Callable("cycle", (interpreter, args) -> {
                    if (args.positional().isEmpty()) {
                        throw new Failure("cycle() needs something to cycle through");
                    }
                    return args.positional()
                            .get(loop.index() % args.positional().size());
                });
            case "changed" ->
                new Value.Callable("changed", (interpreter, args) -> {
                    List<Value> last = loop.lastChanged;
                    boolean changed = last == null || !Operators.equal(args.positional(), last, interpreter.budget());
                    loop.lastChanged = args.positional();
                    return Bool.of(changed);
                });
            default -> missing(loop, name);
        };
    }

    /** {@code object[key]}: the item first, then the attribute of that name. */
    static Value item(Value object, Value key, Budget budget) {
        defined(object);
        switch (object) {
            case Dict dict -> {
                Value value = hashable(key) ? Operators.lookup(dict, key, budget) : null;
                if (value != null) {
                    return value;
                }
            }
            case Seq seq
            when !seq.kind().view() && (key instanceof Int || key instanceof Bool) -> {
                int size = seq.items().size();
                int index = wrap(integer(key, "an index"), size);
                return index >= 0 && index < size
                        ? seq.items().get(index)
                        : new Undefined("the " + seq.kind().python + " has no element " + Text.plain(key));
            }
            case Str str
            when key instanceof Int || key instanceof Bool -> {
                budget.scan(2L * str.length());
                int size = str.codePoints();
                int index = wrap(integer(key, "an index"), size);
                if (index < 0 || index >= size) {
                    return new Undefined("the text has no character " + Text.plain(key));
                }
                int from = str.offset(index);
                return str.slice(from, str.text().offsetByCodePoints(from, 1));
            }
            default -> {}
        }
        if (key instanceof Str name) {
            if (!(object instanceof Dict)) {
                return attribute(object, name.text());
            }
            Value method = Methods.find(object, name.text());
            return method != null ? method : missing(object, name.text());
        }
        return new Undefined("a value of type " + typeName(object) + " has no item of type " + typeName(key));
    }

    private static int wrap(int index, int size) {
        return index < 0 ? index + size : index;
    }

    /** Checks that a value may be a key, and counts its length. */
    static void key(Value value, Budget budget) {
        if (!hashable(value)) {
            throw new Failure("a value of type " + typeName(value) + " cannot be a key");
        }
        budget.scan(size(value));
    }

    /** Lists and dicts are not; neither is a tuple in a tuple, which Python allows: hashing it could take for ever. */
    static boolean hashable(Value value) {
        return switch (value) {
            case Seq seq ->
                seq.kind() != Kind.LIST
                        && seq.items().stream().noneMatch(item -> item instanceof Seq || item instanceof Dict);
            case Dict dict -> false;
            default -> true;
        };
    }

    /** {@code object[from:to:step]}; a null bound was left out. */
    static Value slice(Value object, @Nullable Value from, @Nullable Value to, @Nullable Value step, Budget budget) {
        defined(object);
        int size = switch (object) {
            case Str str -> str.codePoints();
            case Seq seq when !seq.kind().view() -> seq.items().size();
            default -> throw new Failure("a value of type " + typeName(object) + " cannot be sliced");
        };
        int by = step == null || step == None.NONE ? 1 : integer(step, "a slice");
        if (by == 0) {
            throw new Failure("a slice's step cannot be zero");
        }
        int start = bound(from, by > 0 ? 0 : size - 1, size, by);
        int end = bound(to, by > 0 ? size : -1, size, by);
        if (object instanceof Str str) {
            budget.scan(2L * str.length());
            if (by == 1) {
                if (start >= end) {
                    return Str.EMPTY;
                }
                budget.characters(end - (long) start);
                int first = str.offset(start);
                return str.slice(first, str.text().offsetByCodePoints(first, end - start));
            }
            List<Value> characters = list(str, budget);
            StrBuilder out = new StrBuilder(budget);
            for (long i = start; by > 0 ? i < end : i > end; i += by) {
                out.add((Str) characters.get((int) i));
            }
            return out.build();
        }
        Seq seq = (Seq) object;
        List<Value> items = new ArrayList<>();
        for (long i = start; by > 0 ? i < end : i > end; i += by) {
            budget.elements(1);
            items.add(seq.items().get((int) i));
        }
        return new Seq(seq.kind() == Kind.GROUP ? Kind.TUPLE : seq.kind(), items, seq.trusted());
    }

    private static int bound(@Nullable Value value, int otherwise, int size, int by) {
        if (value == null || value == None.NONE) {
            return otherwise;
        }
        long index = integer(value, "a slice");
        index = index < 0 ? index + size : index;
        return by > 0 ? Math.clamp(index, 0, size) : Math.clamp(index, -1, size - 1);
    }
}
