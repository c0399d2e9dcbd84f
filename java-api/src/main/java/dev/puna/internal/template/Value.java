// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A value of the template language, with the equality that Python gives it (1 == 1.0 == True). */
sealed interface Value
        permits Str,
                Value.Int,
                Value.Flt,
                Value.Bool,
                Value.None,
                Value.Undefined,
                Value.Seq,
                Value.Dict,
                Value.Generator,
                Value.Namespace,
                Value.Callable,
                Value.Helper,
                Value.Loop {
    /** An int, of any size that the operators allow. */
    record Int(BigInteger value) implements Value {
        static Int of(long value) {
            return new Int(BigInteger.valueOf(value));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Value that && Operators.equal(this, that);
        }

        @Override
        public int hashCode() {
            return Double.hashCode(value.doubleValue());
        }
    }

    /** A float. */
    record Flt(double value) implements Value {
        @Override
        public boolean equals(Object other) {
            return other instanceof Value that && Operators.equal(this, that);
        }

        @Override
        public int hashCode() {
            return Double.hashCode(value == 0 ? 0.0 : value);
        }
    }

    /** True or False. */
    record Bool(boolean value) implements Value {
        static final Bool TRUE = new Bool(true);
        static final Bool FALSE = new Bool(false);

        static Bool of(boolean value) {
            return value ? TRUE : FALSE;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Value that && Operators.equal(this, that);
        }

        @Override
        public int hashCode() {
            return Double.hashCode(value ? 1.0 : 0.0);
        }
    }

    /** None. */
    enum None implements Value {
        NONE
    }

    /** What a missing name, attribute or item gives: empty text, false, no elements; using it further is an error. */
    record Undefined(String reason) implements Value {
        @Override
        public boolean equals(Object other) {
            return other instanceof Undefined;
        }

        @Override
        public int hashCode() {
            return 0;
        }
    }

    /** What kind of sequence a {@link Seq} is. */
    enum Kind {
        LIST("list"),
        TUPLE("tuple"),
        GROUP("_GroupTuple"),
        RANGE("range"),
        KEYS("dict_keys"),
        VALUES("dict_values"),
        ITEMS("dict_items");

        final String python;

        Kind(String python) {
            this.python = python;
        }

        boolean view() {
            return this == KEYS || this == VALUES || this == ITEMS;
        }

        boolean tuple() {
            return this == TUPLE || this == GROUP;
        }
    }

    /** A sequence; {@code trusted} says who made it, and so whose its brackets are when it is printed. */
    record Seq(Kind kind, List<Value> items, boolean trusted) implements Value {
        static Seq list(List<Value> items) {
            return new Seq(Kind.LIST, items, true);
        }

        static Seq tuple(Value... items) {
            return new Seq(Kind.TUPLE, List.of(items), true);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Value that && Operators.equal(this, that);
        }

        @Override
        public int hashCode() {
            return items.hashCode();
        }
    }

    /** A dict in the order of its making. */
    record Dict(Map<Value, Value> entries, boolean trusted) implements Value {
        @Nullable
        Value get(String key) {
            return entries.get(Str.own(key));
        }

        // Never a key, and its contents may be large: see Operators.equal.
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /** Elements made as they are asked for, once. */
    record Generator(Iterator<Value> elements) implements Value {}

    /** namespace(): the one thing whose attributes a template may set. */
    record Namespace(LinkedHashMap<String, Value> attributes) implements Value {}

    /** Something to call: a macro, a method, a global function. */
    record Callable(String name, Body body) implements Value {
        /** What a call does. */
        interface Body {
            Value call(Interpreter interpreter, Args args);
        }
    }

    /** cycler() and joiner(): an object with methods of its own. */
    record Helper(String name, Map<String, Value> attributes) implements Value {}

    /** The {@code loop} variable; looks ahead no further than the template asks. */
    final class Loop implements Value {
        final int depth;
        final Callable.@Nullable Body recursion;
        private final Iterator<Value> rest;
        private final ArrayDeque<Value> ahead = new ArrayDeque<>();
        private int index = -1;
        private @Nullable Value previous;
        private @Nullable Value current;

        @Nullable
        List<Value> lastChanged;

        Loop(Iterator<Value> elements, int depth, Callable.@Nullable Body recursion) {
            this.rest = elements;
            this.depth = depth;
            this.recursion = recursion;
        }

        boolean hasNext() {
            return !ahead.isEmpty() || rest.hasNext();
        }

        Value next() {
            previous = current;
            Value value = ahead.isEmpty() ? rest.next() : ahead.removeFirst();
            current = value;
            index++;
            return value;
        }

        int index() {
            return index;
        }

        int length() {
            while (rest.hasNext()) {
                ahead.addLast(rest.next());
            }
            return index + 1 + ahead.size();
        }

        Value previous() {
            Value value = previous;
            return value != null ? value : new Undefined("there is no previous item");
        }

        Value following() {
            if (ahead.isEmpty() && rest.hasNext()) {
                ahead.addLast(rest.next());
            }
            Value value = ahead.peekFirst();
            return value != null ? value : new Undefined("there is no next item");
        }
    }
}
