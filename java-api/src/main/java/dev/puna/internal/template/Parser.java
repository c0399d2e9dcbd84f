// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.TemplateException;
import dev.puna.internal.template.Lexer.Token;
import dev.puna.internal.template.Lexer.Type;
import dev.puna.internal.template.Node.Expr;
import dev.puna.internal.template.Node.Stmt;
import dev.puna.internal.template.Node.Target;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a template's statements. */
final class Parser extends ExpressionParser {
    private static final Set<String> CONSTANTS = Set.of("true", "false", "none", "True", "False", "None");

    private int loops;

    private Parser(List<Token> tokens) {
        super(tokens);
    }

    static List<Stmt> parse(String source) {
        return new Parser(Lexer.lex(source)).body();
    }

    /** Statements up to a tag that is one of {@code ends}, which stays unread; to the template's end without any. */
    private List<Stmt> body(String... ends) {
        enter();
        List<Stmt> statements = new ArrayList<>();
        while (true) {
            Token token = take();
            switch (token.type()) {
                case DATA -> statements.add(new Node.Text(Str.own(token.text()), token.line()));
                case OUTPUT_BEGIN -> {
                    statements.add(new Node.Output(tuple(true), token.line()));
                    expectEnd(Type.OUTPUT_END);
                }
                case BLOCK_BEGIN -> {
                    if (current().type() == Type.NAME
                            && List.of(ends).contains(current().text())) {
                        leave();
                        return List.copyOf(statements);
                    }
                    statements.add(statement());
                    expectEnd(Type.BLOCK_END);
                }
                case END -> {
                    if (ends.length > 0) {
                        throw error("the template ends where '" + String.join("' or '", ends) + "' should stand");
                    }
                    leave();
                    return List.copyOf(statements);
                }
                default -> throw error(token.describe() + " out of place");
            }
        }
    }

    private void expectEnd(Type type) {
        Token token = take();
        if (token.type() != type) {
            throw new TemplateException(
                    null,
                    token.line(),
                    (type == Type.BLOCK_END ? "'%}'" : "'}}'") + " expected, not " + token.describe());
        }
    }

    /** A block's body behind the tag that opened it, its end tag's name read too. */
    private List<Stmt> block(String end) {
        expectEnd(Type.BLOCK_END);
        List<Stmt> body = body(end);
        take();
        return body;
    }

    private Stmt statement() {
        Token token = current();
        String tag = expectName();
        int line = token.line();
        return switch (tag) {
            case "if" -> ifStatement(line);
            case "for" -> forStatement(line);
            case "set" -> setStatement(line);
            case "macro" -> macro(line);
            case "call" -> callBlock(line);
            case "filter" -> new Node.FilterBlock(filterChain(), block("endfilter"), line);
            case "with" -> with(line);
            case "generation" -> new Node.Scoped(block("endgeneration"), line);
            case "print" -> print(line);
            case "block" -> {
                expectName();
                yield new Node.Scoped(block("endblock"), line);
            }
            case "break", "continue" -> {
                if (loops == 0) {
                    throw new TemplateException(null, line, "'" + tag + "' outside a loop");
                }
                yield new Node.Jump(tag.equals("break"), line);
            }
            default -> throw new TemplateException(null, line, "there is no tag '" + tag + "' here");
        };
    }

    private Stmt print(int line) {
        List<Expr> parts = new ArrayList<>();
        do {
            parts.add(expression());
        } while (skipOperator(","));
        return new Node.Output(new Node.Concat(List.copyOf(parts), line), line);
    }

    private Stmt ifStatement(int line) {
        List<Node.Branch> branches = new ArrayList<>();
        List<Stmt> otherwise = List.of();
        while (true) {
            Expr condition = tuple(false);
            expectEnd(Type.BLOCK_END);
            branches.add(new Node.Branch(condition, body("elif", "else", "endif")));
            String tag = take().text();
            if (tag.equals("elif")) {
                continue;
            }
            if (tag.equals("else")) {
                otherwise = block("endif");
            }
            return new Node.If(List.copyOf(branches), otherwise, line);
        }
    }

    private Stmt forStatement(int line) {
        Target target = target("in");
        if (!skipName("in")) {
            throw error("'in' expected, not " + current().describe());
        }
        Expr elements = tuple(false, "recursive");
        Expr condition = skipName("if") ? expression() : null;
        boolean recursive = skipName("recursive");
        expectEnd(Type.BLOCK_END);
        loops++;
        List<Stmt> body = body("endfor", "else");
        loops--;
        List<Stmt> otherwise = take().text().equals("else") ? block("endfor") : List.of();
        return new Node.For(target, elements, condition, recursive, body, otherwise, line);
    }

    private Stmt setStatement(int line) {
        Target target = current().type() == Type.NAME && isAttribute() ? attributeTarget() : target();
        if (skipOperator("=")) {
            return new Node.Set(target, tuple(true), line);
        }
        List<Node.Filter> filters = atOperator("|") ? filterChainAfterPipe() : List.of();
        return new Node.SetBlock(target, filters, block("endset"), line);
    }

    private boolean isAttribute() {
        return peekOperator(".");
    }

    private Target attributeTarget() {
        String object = expectName();
        names.add(object);
        expectOperator(".");
        return new Node.AttributeTarget(object, expectName());
    }

    /** One name, or several with commas. */
    private Target target(String... ends) {
        List<Target> targets = new ArrayList<>();
        boolean comma = false;
        do {
            if (comma && (current().type() != Type.NAME || isOneOf(ends)) && !atOperator("(")) {
                break;
            }
            targets.add(singleTarget());
            comma = atOperator(",") || comma;
        } while (skipOperator(","));
        return comma ? new Node.TupleTarget(List.copyOf(targets)) : targets.get(0);
    }

    private boolean isOneOf(String... words) {
        return List.of(words).contains(current().text());
    }

    private Target singleTarget() {
        if (skipOperator("(")) {
            enter();
            Target inside = target();
            leave();
            expectOperator(")");
            return inside;
        }
        String name = expectName();
        if (CONSTANTS.contains(name)) {
            throw error("'" + name + "' cannot be given a value");
        }
        return new Node.NameTarget(name);
    }

    private List<Node.Filter> filterChain() {
        List<Node.Filter> filters = new ArrayList<>(List.of(filter(null)));
        while (skipOperator("|")) {
            filters.add(filter(null));
        }
        return List.copyOf(filters);
    }

    private List<Node.Filter> filterChainAfterPipe() {
        expectOperator("|");
        return filterChain();
    }

    private Stmt with(int line) {
        List<Target> targets = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (current().type() != Type.BLOCK_END) {
            if (!targets.isEmpty()) {
                expectOperator(",");
            }
            targets.add(singleTarget());
            expectOperator("=");
            values.add(expression());
        }
        return new Node.With(List.copyOf(targets), List.copyOf(values), block("endwith"), line);
    }

    private Stmt macro(int line) {
        String name = expectName();
        return new Node.MacroDef(macroBody(name, true, "endmacro"), line);
    }

    private Stmt callBlock(int line) {
        List<String> parameters = new ArrayList<>();
        List<@Nullable Expr> defaults = new ArrayList<>();
        if (atOperator("(")) {
            signature(parameters, defaults);
        }
        Expr call = expression();
        if (!(call instanceof Node.Call)) {
            throw new TemplateException(null, line, "a call expected in the call block");
        }
        return new Node.CallBlock(finish("caller", parameters, defaults, "endcall"), call, line);
    }

    private Node.Macro macroBody(String name, boolean signature, String end) {
        List<String> parameters = new ArrayList<>();
        List<@Nullable Expr> defaults = new ArrayList<>();
        if (signature) {
            signature(parameters, defaults);
        }
        return finish(name, parameters, defaults, end);
    }

    private Node.Macro finish(String name, List<String> parameters, List<@Nullable Expr> defaults, String end) {
        Set<String> outer = names;
        int outerLoops = loops;
        names = new HashSet<>();
        loops = 0;
        List<Stmt> body = block(end);
        loops = outerLoops;
        Set<String> used = names;
        outer.addAll(used);
        names = outer;
        return new Node.Macro(
                name,
                List.copyOf(parameters),
                new ArrayList<>(defaults),
                used.contains("varargs"),
                used.contains("kwargs"),
                used.contains("caller"),
                body);
    }

    private void signature(List<String> parameters, List<@Nullable Expr> defaults) {
        expectOperator("(");
        while (!atOperator(")")) {
            if (!parameters.isEmpty()) {
                expectOperator(",");
            }
            parameters.add(expectName());
            if (skipOperator("=")) {
                defaults.add(expression());
            } else if (!defaults.isEmpty() && defaults.get(defaults.size() - 1) != null) {
                throw error("a parameter without a default after one with a default");
            } else {
                defaults.add(null);
            }
        }
        expectOperator(")");
    }
}
