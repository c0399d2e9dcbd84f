// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Names as a tree of their characters, to say which texts are none of them. */
final class NameTree {
    private final Map<Integer, NameTree> next = new TreeMap<>();
    private boolean name;

    void add(String text) {
        NameTree at = this;
        for (int c : text.codePoints().toArray()) {
            at = at.next.computeIfAbsent(c, key -> new NameTree());
        }
        at.name = true;
    }

    /** An expression of all texts without quotes, backslashes and controls that go on from here and are no name. */
    String other(GrammarText grammar, String anything) {
        List<String> ways = new ArrayList<>();
        StringBuilder others = new StringBuilder("[^\"\\\\\\x00-\\x1F");
        next.forEach((c, tree) -> {
            if (c >= 0x20 && c != '"' && c != '\\') {
                ways.add(GrammarText.quoted(Character.toString(c)) + " " + tree.other(grammar, anything));
                others.append(GrammarText.escape(c));
            }
        });
        ways.add(others + "] " + anything);
        if (!name) {
            ways.add("\"\"");
        }
        return grammar.rule("name", String.join(" | ", ways));
    }
}
