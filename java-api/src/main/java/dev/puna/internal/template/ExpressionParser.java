// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.TemplateException;
import dev.puna.internal.template.Lexer.Token;
import dev.puna.internal.template.Lexer.Type;
import dev.puna.internal.template.Node.Arguments;
import dev.puna.internal.template.Node.Expr;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads expressions, from the loosest operator (the inline if) to the tightest. */
class ExpressionParser {
    private static final int MAX_DEPTH = 100;
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final List<Token> tokens;
    private int next;
    private int depth;
    /** Every name read since a macro began: tells whether it uses varargs, kwargs or caller. */
    Set<String> names = new HashSet<>();

    ExpressionParser(List<Token> tokens) {
        this.tokens = tokens;
    }

    // ---- tokens

    Token current() {
        return tokens.get(next);
    }

    Token take() {
        Token token = tokens.get(next);
        if (token.type() != Type.END) {
            next++;
        }
        return token;
    }

    boolean peekOperator(String text) {
        return following().is(Type.OPERATOR, text);
    }

    private Token following() {
        return tokens.get(Math.min(next + 1, tokens.size() - 1));
    }

    boolean atOperator(String text) {
        return current().is(Type.OPERATOR, text);
    }

    boolean atName(String text) {
        return current().is(Type.NAME, text);
    }

    boolean skipOperator(String text) {
        boolean found = atOperator(text);
        next += found ? 1 : 0;
        return found;
    }

    boolean skipName(String text) {
        boolean found = atName(text);
        next += found ? 1 : 0;
        return found;
    }

    void expectOperator(String text) {
        if (!skipOperator(text)) {
            throw error("'" + text + "' expected, not " + current().describe());
        }
    }

    String expectName() {
        if (current().type() != Type.NAME) {
            throw error("a name expected, not " + current().describe());
        }
        return take().text();
    }

    TemplateException error(String reason) {
        return new TemplateException(null, current().line(), reason);
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw error("nested deeper than " + MAX_DEPTH);
        }
    }

    void leave() {
        depth--;
    }

    // ---- expressions

    Expr expression() {
        enter();
        int line = current().line();
        Expr value = or();
        while (skipName("if")) {
            Expr condition = or();
            Expr otherwise = skipName("else") ? expression() : null;
            value = new Node.Choice(condition, value, otherwise, line);
        }
        leave();
        return value;
    }

    /** One expression, or several with commas: a tuple. */
    Expr tuple(boolean conditional, String... ends) {
        int line = current().line();
        List<Expr> items = new ArrayList<>();
        boolean comma = false;
        while (true) {
            if (!items.isEmpty()) {
                if (!skipOperator(",")) {
                    break;
                }
                comma = true;
            }
            if (tupleEnds(ends)) {
                break;
            }
            items.add(conditional ? expression() : or());
        }
        if (comma) {
            return new Node.TupleOf(List.copyOf(items), line);
        }
        if (items.isEmpty()) {
            throw error("an expression expected, not " + current().describe());
        }
        return items.get(0);
    }

    private boolean tupleEnds(String... ends) {
        Type type = current().type();
        if (type == Type.OUTPUT_END || type == Type.BLOCK_END || type == Type.END || atOperator(")")) {
            return true;
        }
        for (String end : ends) {
            if (atName(end)) {
                return true;
            }
        }
        return false;
    }

    private Expr or() {
        int line = current().line();
        Expr left = and();
        while (skipName("or")) {
            left = new Node.Logic(false, left, and(), line);
        }
        return left;
    }

    private Expr and() {
        int line = current().line();
        Expr left = not();
        while (skipName("and")) {
            left = new Node.Logic(true, left, not(), line);
        }
        return left;
    }

    private Expr not() {
        int line = current().line();
        if (!skipName("not")) {
            return comparison();
        }
        enter();
        Expr operand = not();
        leave();
        return new Node.Not(operand, line);
    }

    private Expr comparison() {
        int line = current().line();
        List<Expr> operands = new ArrayList<>(List.of(sum()));
        List<String> operators = new ArrayList<>();
        while (true) {
            if (current().type() == Type.OPERATOR
                    && COMPARISONS.contains(current().text())) {
                operators.add(take().text());
            } else if (skipName("in")) {
                operators.add("in");
            } else if (atName("not") && following().is(Type.NAME, "in")) {
                take();
                take();
                operators.add("not in");
            } else {
                break;
            }
            operands.add(sum());
        }
        return operators.isEmpty()
                ? operands.get(0)
                : new Node.Compare(List.copyOf(operands), List.copyOf(operators), line);
    }

    private Expr sum() {
        int line = current().line();
        Expr left = concat();
        while (atOperator("+") || atOperator("-")) {
            String operator = take().text();
            left = new Node.Binary(operator, left, concat(), line);
        }
        return left;
    }

    private Expr concat() {
        int line = current().line();
        List<Expr> parts = new ArrayList<>(List.of(product()));
        while (skipOperator("~")) {
            parts.add(product());
        }
        return parts.size() == 1 ? parts.get(0) : new Node.Concat(List.copyOf(parts), line);
    }

    private Expr product() {
        int line = current().line();
        Expr left = power();
        while (atOperator("*") || atOperator("/") || atOperator("//") || atOperator("%")) {
            String operator = take().text();
            left = new Node.Binary(operator, left, power(), line);
        }
        return left;
    }

    private Expr power() {
        int line = current().line();
        Expr left = unary(true);
        while (skipOperator("**")) {
            left = new Node.Binary("**", left, unary(true), line);
        }
        return left;
    }

    private Expr unary(boolean filtered) {
        enter();
        int line = current().line();
        Expr value;
        if (atOperator("-") || atOperator("+")) {
            char operator = take().text().charAt(0);
            value = new Node.Unary(operator, unary(false), line);
        } else {
            value = primary();
        }
        value = postfix(value);
        if (filtered) {
            value = filters(value);
        }
        leave();
        return value;
    }

    Expr primary() {
        Token token = take();
        int line = token.line();
        switch (token.type()) {
            case NAME -> {
                return switch (token.text()) {
                    case "true", "True" -> new Node.Const(Value.Bool.TRUE, line);
                    case "false", "False" -> new Node.Const(Value.Bool.FALSE, line);
                    case "none", "None" -> new Node.Const(Value.None.NONE, line);
                    default -> {
                        names.add(token.text());
                        yield new Node.Name(token.text(), line);
                    }
                };
            }
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (current().type() == Type.STRING) {
                    text.append(take().text());
                }
                return new Node.Const(Str.own(text.toString()), line);
            }
            case INTEGER -> {
                return new Node.Const(new Value.Int(integer(token)), line);
            }
            case FLOAT -> {
                return new Node.Const(new Value.Flt(Double.parseDouble(token.text())), line);
            }
            case OPERATOR -> {
                switch (token.text()) {
                    case "(" -> {
                        if (skipOperator(")")) {
                            return new Node.TupleOf(List.of(), line);
                        }
                        Expr inside = tuple(true);
                        expectOperator(")");
                        return inside;
                    }
                    case "[" -> {
                        return list(line);
                    }
                    case "{" -> {
                        return dict(line);
                    }
                    default -> {}
                }
            }
            default -> {}
        }
        throw new TemplateException(null, line, token.describe() + " where an expression should stand");
    }

    private static BigInteger integer(Token token) {
        if (token.text().length() > 1000) {
            throw new TemplateException(null, token.line(), "a number of more than 1000 digits");
        }
        return new BigInteger(token.text());
    }

    private Expr list(int line) {
        List<Expr> items = new ArrayList<>();
        while (!atOperator("]")) {
            if (!items.isEmpty()) {
                expectOperator(",");
                if (atOperator("]")) {
                    break;
                }
            }
            items.add(expression());
        }
        expectOperator("]");
        return new Node.ListOf(List.copyOf(items), line);
    }

    private Expr dict(int line) {
        List<Expr> keys = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!atOperator("}")) {
            if (!keys.isEmpty()) {
                expectOperator(",");
                if (atOperator("}")) {
                    break;
                }
            }
            keys.add(expression());
            expectOperator(":");
            values.add(expression());
        }
        expectOperator("}");
        return new Node.DictOf(List.copyOf(keys), List.copyOf(values), line);
    }

    /** Attributes, items and calls behind a value. */
    private Expr postfix(Expr start) {
        Expr value = start;
        while (true) {
            int line = current().line();
            if (skipOperator(".")) {
                Token token = take();
                if (token.type() == Type.NAME) {
                    value = new Node.Attribute(value, token.text(), line);
                } else if (token.type() == Type.INTEGER) {
                    value = new Node.Item(value, new Node.Const(new Value.Int(integer(token)), line), line);
                } else {
                    throw new TemplateException(null, line, "a name or a number expected after '.'");
                }
            } else if (skipOperator("[")) {
                value = subscript(value, line);
            } else if (atOperator("(")) {
                value = new Node.Call(value, arguments(), line);
            } else {
                return value;
            }
        }
    }

    private Expr subscript(Expr object, int line) {
        @Nullable Expr from = atOperator(":") ? null : expression();
        if (!atOperator(":")) {
            Expr key = from;
            if (key == null) {
                throw error("an index expected");
            }
            if (atOperator(",")) {
                List<Expr> keys = new ArrayList<>(List.of(key));
                while (skipOperator(",")) {
                    keys.add(expression());
                }
                key = new Node.TupleOf(keys, line);
            }
            expectOperator("]");
            return new Node.Item(object, key, line);
        }
        take();
        @Nullable Expr to = atOperator(":") || atOperator("]") ? null : expression();
        @Nullable Expr step = skipOperator(":") && !atOperator("]") ? expression() : null;
        expectOperator("]");
        return new Node.Slice(object, from, to, step, line);
    }

    /** Filters, tests and calls behind a value. */
    private Expr filters(Expr start) {
        Expr value = start;
        while (true) {
            if (atOperator("|")) {
                take();
                value = filter(value);
            } else if (atName("is")) {
                value = test(value);
            } else if (atOperator("(")) {
                value = new Node.Call(value, arguments(), current().line());
            } else {
                return value;
            }
        }
    }

    Node.Filter filter(@Nullable Expr input) {
        int line = current().line();
        String name = dotted();
        Arguments arguments = atOperator("(") ? arguments() : Arguments.NONE;
        return new Node.Filter(input, name, arguments, line);
    }

    private String dotted() {
        StringBuilder name = new StringBuilder(expectName());
        while (skipOperator(".")) {
            name.append('.').append(expectName());
        }
        return name.toString();
    }

    private Expr test(Expr input) {
        int line = take().line();
        boolean negated = skipName("not");
        String name = dotted();
        Arguments arguments = Arguments.NONE;
        if (atOperator("(")) {
            arguments = arguments();
        } else if (testArgumentHere()) {
            if (atName("is")) {
                throw error("tests cannot be chained with 'is'");
            }
            arguments = new Arguments(List.of(postfix(primary())), List.of(), null, null);
        }
        Expr test = new Node.Test(input, name, arguments, line);
        return negated ? new Node.Not(test, line) : test;
    }

    private boolean testArgumentHere() {
        return switch (current().type()) {
            case STRING, INTEGER, FLOAT -> true;
            case NAME -> !atName("else") && !atName("or") && !atName("and");
            case OPERATOR -> atOperator("[") || atOperator("{");
            default -> false;
        };
    }

    Arguments arguments() {
        enter();
        expectOperator("(");
        List<Expr> positional = new ArrayList<>();
        List<Node.Named> named = new ArrayList<>();
        Expr spread = null;
        Expr spreadNamed = null;
        boolean first = true;
        while (!atOperator(")")) {
            if (!first) {
                expectOperator(",");
                if (atOperator(")")) {
                    break;
                }
            }
            first = false;
            if (spreadNamed == null && skipOperator("**")) {
                spreadNamed = expression();
            } else if (spread == null && spreadNamed == null && skipOperator("*")) {
                spread = expression();
            } else if (current().type() == Type.NAME && following().is(Type.OPERATOR, "=") && spreadNamed == null) {
                String name = take().text();
                take();
                named.add(new Node.Named(name, expression()));
            } else if (named.isEmpty() && spread == null && spreadNamed == null) {
                positional.add(expression());
            } else {
                throw error("an argument by position after one by name");
            }
        }
        expectOperator(")");
        leave();
        return new Arguments(List.copyOf(positional), List.copyOf(named), spread, spreadNamed);
    }
}
