// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import dev.puna.internal.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Regular expressions as expressions of a grammar: of plain text, or of what stands in quotes in a JSON text. */
public final class RegexGrammar {
    private static final List<Regex.Range> ESCAPED =
            List.of(new Regex.Range(0, 0x1F), new Regex.Range('"', '"'), new Regex.Range('\\', '\\'));

    private final boolean json;

    private RegexGrammar(boolean json) {
        this.json = json;
    }

    /**
     * A grammar of all texts that a pattern matches from their beginning to their end.
     *
     * @param pattern the regular expression
     * @return the grammar's text
     * @throws IllegalArgumentException with the offset of what is wrong or unsupported in it
     */
    public static String of(String pattern) {
        return new GrammarText()
                .text(new RegexGrammar(false).print(RegexParser.parse(pattern).regex()));
    }

    /** What a JSON text holds that a pattern finds something in, as an expression without the quotes. */
    static String inJson(String pattern, String anyChar) {
        RegexParser.Pattern parsed = RegexParser.parse(pattern);
        String middle = new RegexGrammar(true).print(parsed.regex());
        return (parsed.begins() ? "" : anyChar + "* ") + middle + (parsed.ends() ? "" : " " + anyChar + "*");
    }

    private String print(Regex regex) {
        return switch (regex) {
            case Regex.Chars chars -> json ? jsonChars(chars.ranges()) : chars(chars.ranges());
            case Regex.Sequence s -> s.parts().isEmpty() ? "\"\"" : "(" + join(s.parts(), " ") + ")";
            case Regex.Choice c -> "(" + join(c.parts(), " | ") + ")";
            case Regex.Repeat r -> print(r.part()) + count(r);
        };
    }

    private String join(List<Regex> parts, String between) {
        return parts.stream().map(this::print).collect(Collectors.joining(between));
    }

    private static String count(Regex.Repeat repeat) {
        return "{" + repeat.least() + "," + (repeat.most() < 0 ? "" : repeat.most()) + "}";
    }

    private static String chars(List<Regex.Range> ranges) {
        StringBuilder out = new StringBuilder("[");
        for (Regex.Range range : ranges) {
            out.append(GrammarText.escape(range.first())).append('-').append(GrammarText.escape(range.last()));
        }
        return out.append(']').toString();
    }

    /** Characters that a JSON text can't hold as they are have one spelling. */
    private static String jsonChars(List<Regex.Range> ranges) {
        List<String> ways = new ArrayList<>();
        List<Regex.Range> plain = CharSet.minus(ranges, ESCAPED);
        if (!plain.isEmpty()) {
            ways.add(chars(plain));
        }
        for (Regex.Range escaped : ESCAPED) {
            for (int c = escaped.first(); c <= escaped.last(); c++) {
                if (CharSet.has(ranges, c)) {
                    ways.add(GrammarText.quoted(Json.escaped(c)));
                }
            }
        }
        return ways.size() == 1 ? ways.getFirst() : "(" + String.join(" | ", ways) + ")";
    }
}
