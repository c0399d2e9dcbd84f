// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Value.Bool;
import dev.puna.internal.template.Value.Callable;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Flt;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.Loop;
import dev.puna.internal.template.Value.None;
import dev.puna.internal.template.Value.Seq;
import dev.puna.internal.template.Value.Undefined;
import java.util.Set;

/** Tests: what may stand behind {@code is}. */
final class Predicates {
    private Predicates() {}

    private static final Set<String> NO_ARGUMENTS = Set.of(
            "defined",
            "undefined",
            "none",
            "boolean",
            "true",
            "false",
            "string",
            "number",
            "integer",
            "float",
            "mapping",
            "sequence",
            "iterable",
            "callable",
            "escaped",
            "odd",
            "even",
            "lower",
            "upper");

    static boolean test(Interpreter in, String name, Value value, Args args) {
        in.budget().scan(value instanceof Str str ? str.length() : 0);
        if (NO_ARGUMENTS.contains(name)) {
            args.bind(name, 0);
        }
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == None.NONE;
            case "boolean" -> value instanceof Bool;
            case "true" -> value instanceof Bool bool && bool.value();
            case "false" -> value instanceof Bool bool && !bool.value();
            case "string" -> value instanceof Str;
            case "number" -> Operators.isNumber(value);
            case "integer" -> value instanceof Int;
            case "float" -> value instanceof Flt;
            case "mapping" -> value instanceof Dict;
            case "sequence" ->
                value instanceof Str
                        || value instanceof Dict
                        || value instanceof Undefined
                        || (value instanceof Seq seq && !seq.kind().view());
            case "iterable" -> Values.iterable(value);
            case "callable" ->
                value instanceof Callable
                        || (value instanceof Loop loop && loop.recursion != null)
                        || value instanceof Undefined
                        || (value instanceof Value.Helper helper
                                && helper.attributes().containsKey("()"));
            case "escaped" -> value instanceof Str str && str.markup();
            case "odd" -> !even(value, "odd");
            case "even" -> even(value, "even");
            case "lower" -> Strings.isCase(Text.str(value, in.budget()), false);
            case "upper" -> Strings.isCase(Text.str(value, in.budget()), true);
            case "divisibleby" -> {
                Value rest = Operators.apply("%", value, one(name, args), in);
                yield Operators.equal(rest, Int.of(0));
            }
            case "in" -> Operators.contains(one(name, args), value, in.budget());
            case "sameas" -> same(value, one(name, args));
            case "eq", "equalto", "==" -> compare("==", value, name, args, in);
            case "ne", "!=" -> compare("!=", value, name, args, in);
            case "lt", "lessthan", "<" -> compare("<", value, name, args, in);
            case "le", "<=" -> compare("<=", value, name, args, in);
            case "gt", "greaterthan", ">" -> compare(">", value, name, args, in);
            case "ge", ">=" -> compare(">=", value, name, args, in);
            case "filter" -> value instanceof Str str && Filters.exists(str.text());
            case "test" -> value instanceof Str str && exists(in, str.text());
            default -> throw new Failure("there is no test '" + name + "'");
        };
    }

    private static boolean exists(Interpreter in, String name) {
        if (NO_ARGUMENTS.contains(name)) {
            return true;
        }
        try {
            test(in, name, Int.of(0), Args.of(Int.of(1)));
            return true;
        } catch (Failure failure) {
            return !failure.reason().startsWith("there is no test");
        }
    }

    private static Value one(String name, Args args) {
        return args.bind(name, 1, "other").get(0);
    }

    private static boolean compare(String operator, Value value, String name, Args args, Interpreter in) {
        return Operators.compare(operator, value, one(name, args), in.budget());
    }

    private static boolean even(Value value, String name) {
        Values.defined(value);
        if (value instanceof Flt number) {
            return number.value() % 2 == 0;
        }
        if (!Operators.isNumber(value)) {
            throw new Failure("'" + name + "' needs a number, not " + Values.typeName(value));
        }
        return !Operators.whole(value).testBit(0);
    }

    /** The same object; small values, which Python shares, are the same when they are equal and of one type. */
    @SuppressWarnings("ReferenceEquality") // that is what sameas asks
    private static boolean same(Value a, Value b) {
        return a == b
                || (a.getClass() == b.getClass()
                        && (a instanceof Bool || a instanceof Int || a instanceof Str)
                        && a.equals(b));
    }
}
