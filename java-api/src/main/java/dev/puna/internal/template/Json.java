// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.internal.template.Value.Bool;
import dev.puna.internal.template.Value.Dict;
import dev.puna.internal.template.Value.Flt;
import dev.puna.internal.template.Value.Int;
import dev.puna.internal.template.Value.Kind;
import dev.puna.internal.template.Value.None;
import dev.puna.internal.template.Value.Seq;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The tojson filter as transformers has it: Python's json.dumps, not made safe for HTML.
 *
 * <p>Origin as in {@link Text}: brackets belong to whoever made the list or dict, quotes are from outside when any
 * of their text is.
 */
final class Json {
    private final Budget budget;
    private final StrBuilder out;
    private final boolean ascii;
    private final boolean indented;
    private final Str indent;
    private final Str itemSeparator;
    private final Str keySeparator;
    private final boolean sorted;

    private Json(Budget budget, Args.Bound options) {
        this.budget = budget;
        this.out = new StrBuilder(budget);
        this.ascii = options.truth(0, false);
        this.indented = options.given(1);
        this.indent = indented ? indent(options) : Str.EMPTY;
        this.sorted = options.truth(3, false);
        if (options.given(2)) {
            List<Value> separators = Values.list(options.get(2), budget);
            if (separators.size() != 2
                    || !(separators.get(0) instanceof Str item)
                    || !(separators.get(1) instanceof Str key)) {
                throw new Failure("tojson's separators must be two texts");
            }
            this.itemSeparator = item;
            this.keySeparator = key;
        } else {
            this.itemSeparator = Str.own(indented ? "," : ", ");
            this.keySeparator = Str.own(": ");
        }
    }

    static Str write(Interpreter interpreter, Value value, Args args) {
        Args.Bound options = args.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        Json json = new Json(interpreter.budget(), options);
        json.write(value, 0);
        return json.out.build();
    }

    private Str indent(Args.Bound options) {
        if (options.get(1) instanceof Str text) {
            return text;
        }
        return spaces(Math.max(0, options.integer(1, 0)));
    }

    private Str spaces(int count) {
        budget.characters(count);
        return Str.own(" ".repeat(count));
    }

    private void write(Value value, int depth) {
        budget.step();
        switch (value) {
            case Str str -> quoted(str);
            case None none -> out.own("null");
            case Bool flag -> out.own(flag.value() ? "true" : "false");
            case Int number -> out.own(number.value().toString());
            case Flt number -> out.own(number(number.value()));
            case Dict dict -> dict(dict, depth);
            case Seq seq when seq.kind() == Kind.LIST || seq.kind().tuple() -> list(seq, depth);
            default ->
                throw new Failure("a value of type " + Values.typeName(Values.defined(value)) + " cannot become JSON");
        }
    }

    private static String number(double value) {
        return Double.isNaN(value)
                ? "NaN"
                : Double.isInfinite(value) ? (value > 0 ? "Infinity" : "-Infinity") : Text.number(value);
    }

    private void list(Seq seq, int depth) {
        budget.enter();
        boolean trusted = seq.trusted();
        out.add("[", trusted);
        Iterator<Value> items = seq.items().iterator();
        while (items.hasNext()) {
            newline(depth + 1, trusted);
            write(items.next(), depth + 1);
            if (items.hasNext()) {
                separator(itemSeparator, trusted);
            } else {
                newline(depth, trusted);
            }
        }
        out.add("]", trusted);
        budget.leave();
    }

    private void dict(Dict dict, int depth) {
        budget.enter();
        boolean trusted = dict.trusted();
        List<Map.Entry<Value, Value>> entries = new ArrayList<>(dict.entries().entrySet());
        if (sorted) {
            entries.sort((a, b) -> Operators.compare(a.getKey(), b.getKey(), budget));
        }
        out.add("{", trusted);
        Iterator<Map.Entry<Value, Value>> left = entries.iterator();
        while (left.hasNext()) {
            Map.Entry<Value, Value> entry = left.next();
            newline(depth + 1, trusted);
            quoted(key(entry.getKey()));
            separator(keySeparator, trusted);
            write(entry.getValue(), depth + 1);
            if (left.hasNext()) {
                separator(itemSeparator, trusted);
            } else {
                newline(depth, trusted);
            }
        }
        out.add("}", trusted);
        budget.leave();
    }

    private static Str key(Value key) {
        return switch (key) {
            case Str str -> str;
            case None none -> Str.own("null");
            case Bool flag -> Str.own(flag.value() ? "true" : "false");
            case Int number -> Str.own(number.value().toString());
            case Flt number -> Str.own(number(number.value()));
            default -> throw new Failure("a value of type " + Values.typeName(key) + " cannot be a key in JSON");
        };
    }

    private void newline(int depth, boolean trusted) {
        if (indented) {
            out.add("\n", trusted);
            for (int i = 0; i < depth; i++) {
                separator(indent, trusted);
            }
        }
    }

    /** A text of the template's own between parts of a value from outside counts as from outside. */
    private void separator(Str separator, boolean trusted) {
        if (trusted) {
            out.add(separator);
        } else {
            out.add(separator.text(), false);
        }
    }

    private void quoted(Str str) {
        String text = str.text();
        out.add("\"", str.trusted());
        int kept = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c == '"' || c == '\\' || (ascii && c > '~')) {
                out.add(str, kept, i);
                out.add(dev.puna.internal.json.Json.escaped(c), str.trustedAt(i));
                kept = i + 1;
            }
        }
        out.add(str, kept, text.length());
        out.add("\"", str.trusted());
    }
}
