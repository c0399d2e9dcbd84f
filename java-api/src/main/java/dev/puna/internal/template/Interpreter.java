// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Node.Expr;
import dev.puna.internal.template.Node.Stmt;
import dev.puna.internal.template.Node.Target;
import dev.puna.internal.template.Value.Bool;
import dev.puna.internal.template.Value.Callable;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Kind;
import dev.puna.internal.template.Value.Loop;
import dev.puna.internal.template.Value.Namespace;
import dev.puna.internal.template.Value.Seq;
import dev.puna.internal.template.Value.Undefined;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Walks a template's tree once. One rendering, one thread. */
final class Interpreter {
    /** Names seen from a place in the template; what is set goes into the innermost. */
    record Scope(Map<String, Value> names, @Nullable Scope outer) {
        static Scope within(@Nullable Scope outer) {
            return new Scope(new HashMap<>(), outer);
        }

        @Nullable
        Value find(String name) {
            for (Scope scope = this; scope != null; scope = scope.outer) {
                Value value = scope.names.get(name);
                if (value != null) {
                    return value;
                }
            }
            return null;
        }
    }

    /** How a list of statements ended. */
    private enum Flow {
        ON,
        BREAK,
        CONTINUE
    }

    private final Budget budget;
    private final Clock clock;
    private StrBuilder out;
    private int line;

    Interpreter(Budget budget, Clock clock) {
        this.budget = budget;
        this.clock = clock;
        this.out = new StrBuilder(budget);
    }

    Budget budget() {
        return budget;
    }

    Clock clock() {
        return clock;
    }

    /** The line of what was evaluated last. */
    int line() {
        return line;
    }

    Str run(List<Stmt> template, Map<String, Value> variables) {
        Scope globals = new Scope(Globals.all(), null);
        execute(template, new Scope(new HashMap<>(variables), globals));
        return out.build();
    }

    // ---- statements

    private Flow execute(List<Stmt> statements, Scope scope) {
        budget.enter();
        for (Stmt statement : statements) {
            budget.step();
            line = statement.line();
            Flow flow = execute(statement, scope);
            if (flow != Flow.ON) {
                budget.leave();
                return flow;
            }
        }
        budget.leave();
        return Flow.ON;
    }

    private Flow execute(Stmt statement, Scope scope) {
        switch (statement) {
            case Node.Text text -> out.add(text.text());
            case Node.Output output -> out.add(Text.str(evaluate(output.value(), scope), budget));
            case Node.If choice -> {
                for (Node.Branch branch : choice.branches()) {
                    if (Values.truthy(evaluate(branch.condition(), scope))) {
                        return execute(branch.body(), scope);
                    }
                }
                return execute(choice.otherwise(), scope);
            }
            case Node.For loop -> {
                return loop(loop, evaluate(loop.elements(), scope), scope, 1);
            }
            case Node.Jump jump -> {
                return jump.leaves() ? Flow.BREAK : Flow.CONTINUE;
            }
            case Node.Set set -> assign(set.target(), evaluate(set.value(), scope), scope);
            case Node.SetBlock set ->
                assign(set.target(), filtered(set.filters(), capture(set.body(), Scope.within(scope)), scope), scope);
            case Node.FilterBlock block ->
                out.add(Text.str(filtered(block.filters(), capture(block.body(), Scope.within(scope)), scope), budget));
            case Node.With with -> {
                Scope inner = Scope.within(scope);
                for (int i = 0; i < with.targets().size(); i++) {
                    assign(with.targets().get(i), evaluate(with.values().get(i), scope), inner);
                }
                return execute(with.body(), inner);
            }
            case Node.Scoped scoped -> {
                return execute(scoped.body(), Scope.within(scope));
            }
            case Node.MacroDef definition ->
                scope.names().put(definition.macro().name(), macro(definition.macro(), scope));
            case Node.CallBlock block -> {
                Node.Call call = (Node.Call) block.call();
                Value function = evaluate(call.function(), scope);
                Args given = arguments(call.arguments(), scope);
                Map<String, Value> named = new LinkedHashMap<>(given.named());
                named.put("caller", macro(block.caller(), scope));
                Value result = call(function, new Args(given.positional(), named));
                out.add(Text.str(result, budget));
            }
        }
        return Flow.ON;
    }

    private Flow loop(Node.For node, Value elements, Scope scope, int depth) {
        Iterator<Value> items = Values.iterate(elements);
        if (node.condition() != null) {
            items = filter(items, node.target(), node.condition(), scope);
        }
        Callable.Body recursion = !node.recursive()
                ? null
                : (interpreter, args) -> {
                    Value inner = args.bind("loop", 1, "iterable").get(0);
                    return captured(() -> loop(node, inner, scope, depth + 1));
                };
        Loop loop = new Loop(items, depth, recursion);
        boolean any = false;
        budget.enter();
        while (loop.hasNext()) {
            any = true;
            budget.step();
            Scope body = Scope.within(scope);
            Value value = loop.next();
            body.names().put("loop", loop);
            assign(node.target(), value, body);
            if (execute(node.body(), body) == Flow.BREAK) {
                break;
            }
        }
        budget.leave();
        return any ? Flow.ON : execute(node.otherwise(), Scope.within(scope));
    }

    /** The elements for which a loop's condition holds, each looked at when its turn comes. */
    private Iterator<Value> filter(Iterator<Value> items, Target target, Expr condition, Scope scope) {
        return new Lazy(() -> {
            while (items.hasNext()) {
                Value value = items.next();
                Scope inner = Scope.within(scope);
                assign(target, value, inner);
                if (Values.truthy(evaluate(condition, inner))) {
                    return value;
                }
            }
            return null;
        });
    }

    private Str capture(List<Stmt> body, Scope scope) {
        return captured(() -> execute(body, scope));
    }

    private Str captured(Runnable body) {
        StrBuilder outer = out;
        out = new StrBuilder(budget);
        try {
            body.run();
            return out.build();
        } finally {
            out = outer;
        }
    }

    private Value filtered(List<Node.Filter> filters, Value input, Scope scope) {
        Value value = input;
        for (Node.Filter filter : filters) {
            value = Filters.apply(this, filter.name(), value, arguments(filter.arguments(), scope));
        }
        return value;
    }

    private void assign(Target target, Value value, Scope scope) {
        switch (target) {
            case Node.NameTarget name -> scope.names().put(name.name(), value);
            case Node.AttributeTarget attribute -> {
                if (!(scope.find(attribute.object()) instanceof Namespace namespace)) {
                    throw new Failure("'" + attribute.object() + "' is no namespace: its attributes cannot be set");
                }
                namespace.attributes().put(attribute.name(), value);
            }
            case Node.TupleTarget tuple -> {
                List<Value> items = Values.list(value, budget);
                if (items.size() != tuple.targets().size()) {
                    throw new Failure(tuple.targets().size() + " values expected, " + items.size() + " found");
                }
                for (int i = 0; i < items.size(); i++) {
                    assign(tuple.targets().get(i), items.get(i), scope);
                }
            }
        }
    }

    private Callable macro(Node.Macro macro, Scope scope) {
        return new Callable(macro.name(), (interpreter, args) -> {
            Scope inner = Scope.within(scope);
            bind(macro, args, inner);
            return capture(macro.body(), inner);
        });
    }

    private void bind(Node.Macro macro, Args args, Scope inner) {
        Map<String, Value> named = new LinkedHashMap<>(args.named());
        int count = macro.parameters().size();
        for (int i = 0; i < count; i++) {
            String name = macro.parameters().get(i);
            Value byName = named.remove(name);
            Expr fallback = macro.defaults().get(i);
            Value value;
            if (i < args.positional().size()) {
                if (byName != null) {
                    throw new Failure("macro '" + macro.name() + "' got its argument '" + name + "' twice");
                }
                value = args.positional().get(i);
            } else if (byName != null) {
                value = byName;
            } else {
                value = fallback != null
                        ? evaluate(fallback, inner)
                        : new Undefined("parameter '" + name + "' of macro '" + macro.name() + "' was not given");
            }
            inner.names().put(name, value);
        }
        List<Value> more = args.positional()
                .subList(
                        Math.min(count, args.positional().size()),
                        args.positional().size());
        if (macro.takesCaller()) {
            Value caller = named.remove("caller");
            inner.names().put("caller", caller != null ? caller : new Undefined("no caller is defined"));
        }
        if (macro.takesMore()) {
            inner.names().put("varargs", new Seq(Kind.TUPLE, more, true));
        } else if (!more.isEmpty()) {
            throw new Failure("macro '" + macro.name() + "' takes at most " + count + " arguments");
        }
        if (macro.takesNamed()) {
            Map<Value, Value> entries = new LinkedHashMap<>();
            named.forEach((name, value) -> entries.put(Str.own(name), value));
            inner.names().put("kwargs", new Dict(entries, true));
        } else if (!named.isEmpty()) {
            throw new Failure("macro '" + macro.name() + "' has no argument '"
                    + named.keySet().iterator().next() + "'");
        }
    }

    // ---- expressions

    private Value evaluate(Expr expr, Scope scope) {
        budget.step();
        budget.enter();
        line = expr.line();
        Value value = switch (expr) {
            case Node.Const constant -> constant.value();
            case Node.Name name -> name(name, scope);
            case Node.Attribute attribute -> {
                Value object = evaluate(attribute.object(), scope);
                line = attribute.line();
                yield Values.attribute(object, attribute.name());
            }
            case Node.Item item -> {
                Value object = evaluate(item.object(), scope);
                Value key = evaluate(item.key(), scope);
                line = item.line();
                yield Values.item(object, key, budget);
            }
            case Node.Slice slice -> slice(slice, scope);
            case Node.Call call -> {
                Value function = evaluate(call.function(), scope);
                Args args = arguments(call.arguments(), scope);
                line = call.line();
                yield call(function, args);
            }
            case Node.Filter filter -> filter(filter, scope);
            case Node.Test test -> test(test, scope);
            case Node.Not not -> Bool.of(!Values.truthy(evaluate(not.operand(), scope)));
            case Node.Logic logic -> {
                Value left = evaluate(logic.left(), scope);
                yield Values.truthy(left) == logic.and() ? evaluate(logic.right(), scope) : left;
            }
            case Node.Unary unary -> Operators.negate(evaluate(unary.operand(), scope), unary.operator());
            case Node.Binary binary -> {
                Value left = evaluate(binary.left(), scope);
                Value right = evaluate(binary.right(), scope);
                line = binary.line();
                yield Operators.apply(binary.operator(), left, right, this);
            }
            case Node.Concat concat -> concat(concat, scope);
            case Node.Compare compare -> compare(compare, scope);
            case Node.Choice choice -> choice(choice, scope);
            case Node.ListOf list -> Seq.list(all(list.items(), scope));
            case Node.TupleOf tuple -> new Seq(Kind.TUPLE, all(tuple.items(), scope), true);
            case Node.DictOf dict -> dict(dict, scope);
        };
        budget.leave();
        return value;
    }

    private Value name(Node.Name name, Scope scope) {
        Value value = scope.find(name.name());
        return value != null ? value : new Undefined("'" + name.name() + "' is undefined");
    }

    private @Nullable Value optional(@Nullable Expr expr, Scope scope) {
        return expr == null ? null : evaluate(expr, scope);
    }

    private Value slice(Node.Slice slice, Scope scope) {
        Value object = evaluate(slice.object(), scope);
        Value from = optional(slice.from(), scope);
        Value to = optional(slice.to(), scope);
        Value step = optional(slice.step(), scope);
        line = slice.line();
        return Values.slice(object, from, to, step, budget);
    }

    private Value filter(Node.Filter filter, Scope scope) {
        Expr input = filter.input();
        Value value = input == null ? Str.EMPTY : evaluate(input, scope);
        Args args = arguments(filter.arguments(), scope);
        line = filter.line();
        return Filters.apply(this, filter.name(), value, args);
    }

    private Value test(Node.Test test, Scope scope) {
        Value value = evaluate(test.input(), scope);
        Args args = arguments(test.arguments(), scope);
        line = test.line();
        return Bool.of(Predicates.test(this, test.name(), value, args));
    }

    private Value concat(Node.Concat concat, Scope scope) {
        StrBuilder text = new StrBuilder(budget);
        for (Expr part : concat.parts()) {
            text.add(Text.str(evaluate(part, scope), budget));
        }
        return text.build();
    }

    private Value compare(Node.Compare compare, Scope scope) {
        Value left = evaluate(compare.operands().get(0), scope);
        for (int i = 0; i < compare.operators().size(); i++) {
            Value right = evaluate(compare.operands().get(i + 1), scope);
            line = compare.line();
            if (!Operators.compare(compare.operators().get(i), left, right, budget)) {
                return Bool.FALSE;
            }
            left = right;
        }
        return Bool.TRUE;
    }

    private Value choice(Node.Choice choice, Scope scope) {
        if (Values.truthy(evaluate(choice.condition(), scope))) {
            return evaluate(choice.then(), scope);
        }
        Expr otherwise = choice.otherwise();
        return otherwise != null
                ? evaluate(otherwise, scope)
                : new Undefined("the condition was false and the inline if has no else");
    }

    private List<Value> all(List<Expr> items, Scope scope) {
        budget.elements(items.size());
        List<Value> values = new ArrayList<>(items.size());
        for (Expr item : items) {
            values.add(evaluate(item, scope));
        }
        return values;
    }

    private Value dict(Node.DictOf dict, Scope scope) {
        budget.elements(dict.keys().size());
        Map<Value, Value> entries = new LinkedHashMap<>();
        for (int i = 0; i < dict.keys().size(); i++) {
            Value key = evaluate(dict.keys().get(i), scope);
            Values.key(key, budget);
            entries.put(key, evaluate(dict.values().get(i), scope));
        }
        return new Dict(entries, true);
    }

    private Args arguments(Node.Arguments arguments, Scope scope) {
        List<Value> positional = all(arguments.positional(), scope);
        Map<String, Value> named = new LinkedHashMap<>();
        for (Node.Named argument : arguments.named()) {
            if (named.put(argument.name(), evaluate(argument.value(), scope)) != null) {
                throw new Failure("the argument '" + argument.name() + "' is given twice");
            }
        }
        Value spread = optional(arguments.spread(), scope);
        if (spread != null) {
            positional.addAll(Values.list(spread, budget));
        }
        Value spreadNamed = optional(arguments.spreadNamed(), scope);
        if (spreadNamed != null) {
            if (!(spreadNamed instanceof Dict dict)) {
                throw new Failure("'**' needs a dict, not " + Values.typeName(Values.defined(spreadNamed)));
            }
            dict.entries().forEach((key, value) -> named.put(Text.plain(key), value));
        }
        return new Args(positional, named);
    }

    Value call(Value function, Args args) {
        Values.defined(function);
        Callable.Body body = switch (function) {
            case Callable callable -> callable.body();
            case Loop loop -> loop.recursion;
            case Value.Helper helper when helper.attributes().get("()") instanceof Callable self -> self.body();
            default -> null;
        };
        if (body == null) {
            throw new Failure("a value of type " + Values.typeName(function) + " cannot be called");
        }
        budget.enter();
        Value result = body.call(this, args);
        budget.leave();
        return result;
    }

    /** An iterator over what a source gives until it gives null. */
    static final class Lazy implements Iterator<Value> {
        /** Gives the next element, null at the end. */
        interface Source {
            @Nullable
            Value next();
        }

        private final Source source;
        private @Nullable Value ready;
        private boolean ended;

        Lazy(Source source) {
            this.source = source;
        }

        @Override
        public boolean hasNext() {
            if (ready == null && !ended) {
                ready = source.next();
                ended = ready == null;
            }
            return ready != null;
        }

        @Override
        public Value next() {
            Value value = hasNext() ? ready : null;
            if (value == null) {
                throw new NoSuchElementException();
            }
            ready = null;
            return value;
        }
    }
}
