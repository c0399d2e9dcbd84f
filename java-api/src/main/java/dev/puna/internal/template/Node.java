// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tree of a parsed template. Immutable; shared by all renderings. */
final class Node {
    private Node() {}

    /** An expression, and the line where it began. */
    sealed interface Expr {
        int line();
    }

    record Const(Value value, int line) implements Expr {}

    record Name(String name, int line) implements Expr {}

    record Attribute(Expr object, String name, int line) implements Expr {}

    record Item(Expr object, Expr key, int line) implements Expr {}

    record Slice(
            Expr object,
            @Nullable Expr from,
            @Nullable Expr to,
            @Nullable Expr step,
            int line) implements Expr {}

    record Call(Expr function, Arguments arguments, int line) implements Expr {}

    /** A filter; without an input it stands at a filter block and is given the block's text. */
    record Filter(@Nullable Expr input, String name, Arguments arguments, int line) implements Expr {}

    record Test(Expr input, String name, Arguments arguments, int line) implements Expr {}

    record Not(Expr operand, int line) implements Expr {}

    record Logic(boolean and, Expr left, Expr right, int line) implements Expr {}

    record Unary(char operator, Expr operand, int line) implements Expr {}

    record Binary(String operator, Expr left, Expr right, int line) implements Expr {}

    /** a ~ b ~ c. */
    record Concat(List<Expr> parts, int line) implements Expr {}

    /** a &lt; b &lt; c: one operator fewer than operands. */
    record Compare(List<Expr> operands, List<String> operators, int line) implements Expr {}

    record Choice(Expr condition, Expr then, @Nullable Expr otherwise, int line) implements Expr {}

    record ListOf(List<Expr> items, int line) implements Expr {}

    record TupleOf(List<Expr> items, int line) implements Expr {}

    record DictOf(List<Expr> keys, List<Expr> values, int line) implements Expr {}

    /** What stands between a call's parentheses. */
    record Arguments(
            List<Expr> positional,
            List<Named> named,
            @Nullable Expr spread,
            @Nullable Expr spreadNamed) {
        static final Arguments NONE = new Arguments(List.of(), List.of(), null, null);
    }

    record Named(String name, Expr value) {}

    /** A statement, and its line. */
    sealed interface Stmt {
        int line();
    }

    record Text(Str text, int line) implements Stmt {}

    record Output(Expr value, int line) implements Stmt {}

    record If(List<Branch> branches, List<Stmt> otherwise, int line) implements Stmt {}

    record Branch(Expr condition, List<Stmt> body) {}

    record For(
            Target target,
            Expr elements,
            @Nullable Expr condition,
            boolean recursive,
            List<Stmt> body,
            List<Stmt> otherwise,
            int line)
            implements Stmt {}

    record Jump(boolean leaves, int line) implements Stmt {}

    record Set(Target target, Expr value, int line) implements Stmt {}

    record SetBlock(Target target, List<Filter> filters, List<Stmt> body, int line) implements Stmt {}

    record FilterBlock(List<Filter> filters, List<Stmt> body, int line) implements Stmt {}

    record With(List<Target> targets, List<Expr> values, List<Stmt> body, int line) implements Stmt {}

    /** A generation block: the assistant's part, which only training looks at. */
    record Scoped(List<Stmt> body, int line) implements Stmt {}

    record MacroDef(Macro macro, int line) implements Stmt {}

    record CallBlock(Macro caller, Expr call, int line) implements Stmt {}

    record Macro(
            String name,
            List<String> parameters,
            List<@Nullable Expr> defaults,
            boolean takesMore,
            boolean takesNamed,
            boolean takesCaller,
            List<Stmt> body) {}

    /** What a value is given to. */
    sealed interface Target {}

    record NameTarget(String name) implements Target {}

    record AttributeTarget(String object, String name) implements Target {}

    record TupleTarget(List<Target> targets) implements Target {}
}
