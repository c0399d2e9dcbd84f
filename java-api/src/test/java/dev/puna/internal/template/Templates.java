// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the template tests share. */
final class Templates {
    static final Clock NOW = Clock.fixed(Instant.parse("2026-03-07T08:05:09Z"), ZoneOffset.UTC);

    /** A template and what jinja2 makes of it; null when it refuses. */
    record Example(String source, @Nullable String result) {}

    private Templates() {}

    static Rendered render(String source, Map<String, ? extends @Nullable Object> variables) {
        return ChatTemplate.parse(source).render(variables, Map.of(), Limits.DEFAULT, NOW);
    }

    static String text(String source, Object... namesAndValues) {
        return render(source, map(namesAndValues)).text();
    }

    static Map<String, @Nullable Object> map(@Nullable Object... namesAndValues) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return map;
    }

    /** The variables with which jinja2's results were recorded. */
    static Map<String, @Nullable Object> variables() {
        return map(
                "n",
                7,
                "f",
                2.5,
                "s",
                "Hello, World",
                "u",
                "héé 😀 ß",
                "e",
                "",
                "t",
                true,
                "z",
                null,
                "neg",
                -3,
                "l",
                List.of(3, 1, 2),
                "d",
                map("b", 1, "a", 2, "items", "mine", "n", null),
                "p",
                List.of(
                        map("name", "Bo", "age", 3),
                        map("name", "al", "age", 1),
                        map("name", "Cy"),
                        map("name", "al", "age", 7)),
                "m",
                "one\ntwo\n\n  three\r\nfour",
                "big",
                new BigInteger("12345678901234567890"),
                "pad",
                "  x \t\n");
    }

    /** The examples recorded from jinja2. */
    static List<Example> examples() {
        try (InputStream in = Templates.class.getResourceAsStream("jinja2.txt")) {
            if (in == null) {
                throw new IllegalStateException("jinja2.txt is missing");
            }
            List<Example> examples = new ArrayList<>();
            String all = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (String line : Arrays.asList(all.split("\n"))) {
                if (!line.startsWith("# ")) {
                    int tab = line.indexOf('\t');
                    String result = line.substring(tab + 1);
                    examples.add(new Example(
                            unescape(line.substring(0, tab)),
                            result.startsWith("=") ? unescape(result.substring(1)) : null));
                }
            }
            return examples;
        } catch (IOException failure) {
            throw new java.io.UncheckedIOException(failure);
        }
    }

    private static String unescape(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char kind = text.charAt(++i);
            out.append(kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind == 't' ? '\t' : kind);
        }
        return out.toString();
    }
}
