// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.bindings.NativeFile;
import dev.puna.bindings.NativeGrammar;
import dev.puna.bindings.NativeTokenizer;
import dev.puna.testing.JsonValidator;
import dev.puna.testing.Models;
import dev.puna.testing.Seeded;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the grammars of schemas and patterns allow. */
class SchemaGrammarTest {
    @SuppressWarnings("NullAway.Init")
    private static NativeTokenizer tokenizer;

    @BeforeAll
    static void load() {
        try (NativeFile file = NativeFile.open(Models.TINY)) {
            tokenizer = NativeTokenizer.load(file);
        }
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    private static NativeGrammar compiled(String grammar) {
        return NativeGrammar.compile(tokenizer, grammar);
    }

    /** Each line after the schema is a text: with + one that is allowed, with - one that is not. */
    private static void check(String schema, String... texts) {
        NativeGrammar grammar = compiled(SchemaGrammar.of(schema));
        Object parsed = JsonValidator.parse(schema);
        for (String text : texts) {
            String json = text.substring(1);
            boolean allowed = text.startsWith("+");
            assertThat(grammar.match(json).whole())
                    .as("%s for %s", text, schema)
                    .isEqualTo(allowed);
            if (allowed) { // the grammar allows valid texts alone
                assertThat(JsonValidator.valid(parsed, parsed, JsonValidator.parse(json)))
                        .as("%s for %s", text, schema)
                        .isTrue();
            }
        }
    }

    @Test
    void objectsHaveTheirPropertiesInOrder() {
        String schema = """
                {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"},
                 "c": {"type": "null"}},
                 "required": ["b"]}""";
        check(schema, "+{\"a\": 1, \"b\": true, \"c\": null}", "+{\"b\":false}", "+{ \"a\":0,\"b\":true }");
        check(schema, "+{\n  \"a\": 7,\n  \"b\": true\n}", "+{\"b\":true,\"c\":null}", "-{\"a\": 1}", "-{}");
        check(
                schema,
                "-{\"b\": true, \"a\": 1}",
                "-{\"b\": true,}",
                "-{\"b\": true, \"d\": 1}",
                "-{\"b\" true}",
                "-[]");
        check(
                "{\"type\": \"object\", \"properties\": {\"a\": {}, \"b\": {}}}",
                "+{}",
                "+{\"b\":[1,{\"x\":null}]}",
                "+{\"a\":1,\"b\":2}",
                "-{\"b\":1,\"a\":1}");
        check("{\"properties\": {\"q\\\"\\\\\\n\u00e9\": true}}", "+{\"q\\\"\\\\\\n\u00e9\":1}");
    }

    @Test
    void otherPropertiesHaveOtherNames() {
        String schema = """
                {"type": "object", "properties": {"ab": {"const": 1}, "abc": {"const": 2}, "x": {"const": 3}},
                 "additionalProperties": {"type": "string"}}""";
        check(schema, "+{\"ab\":1,\"abc\":2,\"x\":3,\"y\":\"\"}", "+{\"a\":\"\"}", "+{\"abcd\":\"\"}", "+{\"\":\"\"}");
        check(schema, "+{\"abd\": \"1\", \"\u20ac\": \"\"}", "-{\"ab\":\"\"}", "-{\"x\":\"\"}", "-{\"y\":1}");
        check(schema, "-{\"\\u0078\":\"\"}");
        check("{\"type\":\"object\"}", "+{}", "+{\"a\":{\"b\":[]}}", "+{\"a\":1,\"b\":2}");
        check("{\"type\":\"object\",\"additionalProperties\":false}", "+{}", "+{ }", "-{\"a\":1}");
        check(
                "{\"additionalProperties\":{\"type\":\"integer\"},\"maxProperties\":2,\"minProperties\":1}",
                "+{\"a\":1}",
                "+{\"a\":1,\"b\":2}",
                "-{}",
                "-{\"a\":1,\"b\":2,\"c\":3}");
    }

    @Test
    void arraysHaveTheirItems() {
        check(
                "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}",
                "+[]",
                "+[1]",
                "+[1, 2,3]",
                "-[1,]",
                "-[\"\"]",
                "-[,1]");
        check(
                "{\"items\":{\"type\":\"null\"},\"minItems\":2,\"maxItems\":3}",
                "+[null,null]",
                "+[null,null,null]",
                "-[null]",
                "-[null,null,null,null]",
                "-[]");
        check("{\"items\":true,\"maxItems\":0}", "+[]", "-[1]");
        check("{\"items\":true,\"minItems\":1,\"maxItems\":1}", "+[1]", "-[]", "-[1,2]");
        String tuple = "{\"prefixItems\":[{\"const\":1},{\"const\":2}]";
        check(tuple + "}", "+[]", "+[1]", "+[1,2]", "-[2]", "-[1,2,3]");
        check(tuple + ",\"minItems\":1}", "-[]", "+[1]", "+[1, 2]");
        check(tuple + ",\"items\":{\"const\":3}}", "+[]", "+[1]", "+[1,2,3,3]", "-[1,3]", "-[1,2,2]");
        check(
                tuple + ",\"items\":{\"const\":3},\"minItems\":3,\"maxItems\":4}",
                "-[1,2]",
                "+[1,2,3]",
                "+[1,2,3,3]",
                "-[1,2,3,3,3]");
        check(tuple + ",\"items\":{\"const\":3},\"maxItems\":1}", "+[]", "+[1]", "-[1,2]");
        check("{\"type\":\"array\"}", "+[]", "+[1,\"a\",[{}]]");
    }

    @Test
    void textsHaveTheirLength() {
        check(
                "{\"type\":\"string\"}",
                "+\"\"",
                "+\"a\\n\\\"\u00e9\\u00e9\"",
                "-\"a\nb\"",
                "-\"\\x\"",
                "-\"\\ud800\"",
                "-\"");
        check("{\"minLength\":2,\"maxLength\":3}", "-\"a\"", "+\"ab\"", "+\"\ud83d\ude00\\u0041\\n\"", "-\"abcd\"");
        check("{\"pattern\":\"^[A-Z]{2}-\\\\d+$\"}", "+\"AB-1\"", "-\"AB-\"", "-\"xAB-1\"");
        check("{\"pattern\":\"b+\"}", "+\"abbc\"", "+\"b\"", "-\"ac\"", "+\"\\n\\u0062b\"");
        check("{\"pattern\":\"^[^a]$\"}", "+\"\\\"\"", "+\"\\\\\"", "+\"\\n\"", "-\"a\"", "-\"\n\"", "+\"\u20ac\"");
    }

    @Test
    void formatsAreHeldTo() {
        check(
                "{\"format\":\"date\"}",
                "+\"2024-02-29\"",
                "-\"2023-02-29\"",
                "-\"1900-02-29\"",
                "+\"2000-02-29\"",
                "-\"2024-04-31\"",
                "+\"0001-12-31\"",
                "-\"2024-13-01\"");
        check(
                "{\"format\":\"date-time\"}",
                "+\"2024-01-31T23:59:59Z\"",
                "+\"2024-01-31T00:00:00.123-05:30\"",
                "-\"2024-01-31 00:00:00Z\"",
                "-\"2024-01-31T24:00:00Z\"");
        check("{\"format\":\"time\"}", "+\"12:30:00Z\"", "-\"12:30\"");
        check("{\"type\":\"integer\",\"format\":\"int8\"}", "+127", "+-128", "-128", "--129", "+0");
        check(
                "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":5}",
                "+9223372036854775807",
                "-9223372036854775808",
                "-4");
        NativeGrammar duration = compiled(SchemaGrammar.of("{\"format\":\"duration\"}"));
        for (String text : List.of("PT1H", "PT90M5S", "-PT0.25S", "PT2H3M4S")) {
            assertThat(duration.match('"' + text + '"').whole()).isTrue();
            assertThat(java.time.Duration.parse(text)).isNotNull();
        }
        check("{\"format\":\"uuid\"}", "+\"123e4567-e89b-12d3-a456-426614174000\"", "-\"123e4567\"");
        check("{\"format\":\"uri\"}", "+\"https://example.org/a?b=c\"", "-\"no uri\"");
    }

    @Test
    void valuesAndKinds() {
        check(
                "{\"enum\":[\"a\",1,null,true,{\"x\":[1,2.50]},[]]}",
                "+\"a\"",
                "+1",
                "+null",
                "+true",
                "+{\"x\": [1, 2.50]}",
                "+[]",
                "-2",
                "-\"b\"");
        check("{\"enum\":[\"a\",1],\"type\":\"string\"}", "+\"a\"", "-1");
        check("{\"const\":\"tab\\t\"}", "+\"tab\\t\"", "-\"tab\"");
        check("{\"type\":[\"string\",\"null\"],\"maxLength\":1}", "+null", "+\"a\"", "-\"ab\"", "-1");
        check(
                "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}]}",
                "+1",
                "+[1,[2,[]]]",
                "-[true]");
        check(
                "{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"],\"anyOf\":["
                        + "{\"properties\":{\"a\":{\"const\":1}}},"
                        + "{\"properties\":{\"b\":{\"const\":2}},\"required\":[\"b\"]}]}",
                "+{\"a\":1}",
                "+{\"a\":5,\"b\":2}",
                "-{\"a\":5}");
        check(
                "{\"allOf\":[{\"$ref\":\"#/$defs/x\"},{\"minimum\":3,\"type\":\"integer\"}],"
                        + "\"$defs\":{\"x\":{\"type\":\"number\","
                        + "\"maximum\":5}}}",
                "+3",
                "+5",
                "-2",
                "-6",
                "-3.5");
        check("true", "+1", "+{\"a\":[\"\\u00ff\"]}", "-", "-{");
        check("{}", "+-1.5e10", "+[]");
    }

    @Seeded(rounds = 20)
    void thousandsOfValues(Random random) {
        Set<String> texts = new TreeSet<>();
        int count = 1 + random.nextInt(random.nextBoolean() ? 5 : 3000);
        while (texts.size() < count) {
            int length = random.nextInt(8);
            texts.add(random.ints(length, 0, 4)
                    .mapToObj(i -> "ab\"\u20ac".substring(i, i + 1))
                    .collect(Collectors.joining()));
        }
        List<String> all = new ArrayList<>(texts);
        NativeGrammar grammar = compiled(SchemaGrammar.of(Map.of("enum", all)));
        for (int i = 0; i < 200; i++) {
            String text = all.get(random.nextInt(all.size()));
            String other = random.nextBoolean() ? text : text.substring(0, text.length() / 2) + "a";
            assertThat(grammar.match(JsonLiteral.text(other)).whole()).as(other).isEqualTo(texts.contains(other));
        }
    }

    @Test
    void listsThatReferToThemselves() {
        check(
                "{\"$ref\":\"#/$defs/list\",\"$defs\":{\"list\":{\"anyOf\":[{\"type\":\"null\"},"
                        + "{\"type\":\"object\",\"properties\":"
                        + "{\"head\":{\"type\":\"integer\"},\"tail\":{\"$ref\":\"#/$defs/list\"}},"
                        + "\"required\":[\"head\",\"tail\"]}]}}}",
                "+null",
                "+{\"head\":1,\"tail\":{\"head\":2,\"tail\":null}}",
                "-{\"head\":1}");
    }

    @Test
    void numbers() {
        check(
                "{\"type\":\"integer\"}",
                "+0",
                "+-1",
                "+123456789012345678",
                "-1234567890123456789",
                "--0",
                "-01",
                "-1.0");
        check("{\"type\":\"number\"}", "+0.5", "+-1e-5", "+0", "-.5", "-1.", "-1e999");
        check("{\"type\":\"number\",\"minimum\":0,\"maximum\":1}", "+0", "+0.25", "+1", "+1.0", "-1.1", "--0.5", "-2");
        check(
                "{\"type\":\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":2}",
                "-0",
                "-0.0",
                "+0.01",
                "+1.99",
                "-2");
        check(
                "{\"type\":\"number\",\"minimum\":-2,\"exclusiveMaximum\":-1}",
                "+-2",
                "+-1.5",
                "-1",
                "--1",
                "--1.0",
                "-0");
    }

    /** Every whole number near the bounds, and numbers with a fraction, against comparing. */
    @Seeded(rounds = 150)
    void boundsAreExact(Random random) {
        long low = random.nextLong(-1200, 1200) >> random.nextInt(8);
        long high = low + (random.nextLong(0, 3000) >> random.nextInt(12));
        boolean whole = random.nextBoolean();
        String kind = random.nextInt(4) == 0 ? "exclusive" : "";
        String schema = "{\"type\":\"" + (whole ? "integer" : "number") + "\","
                + (kind.isEmpty() ? "\"minimum\":" : "\"exclusiveMinimum\":") + low + ","
                + (kind.isEmpty() ? "\"maximum\":" : "\"exclusiveMaximum\":") + (high + 2) + "}";
        NativeGrammar grammar = compiled(SchemaGrammar.of(schema));
        Object parsed = JsonValidator.parse(schema);
        for (int i = 0; i < 300; i++) {
            long number = (random.nextBoolean() ? low : high + 2) + random.nextLong(-12, 13);
            String text = i < 250 ? String.valueOf(number) : number + "." + random.nextInt(100);
            boolean valid = JsonValidator.valid(parsed, parsed, JsonValidator.parse(text));
            boolean fraction = text.contains(".") && !text.matches(".*\\.0+");
            if (text.equals("-0") || (whole && !fraction && text.contains("."))) {
                continue; // valid, but not what the grammar writes
            }
            assertThat(grammar.match(text).whole())
                    .as("%s for %s", text, schema)
                    .isEqualTo(valid);
        }
    }

    @Test
    void whatCannotBeHeldToIsRefusedWithItsPlace() {
        refused("{\"properties\":{\"a\":{\"not\":{}}}}", "#/properties/a/not");
        refused("{\"items\":{\"properties\":{\"x/y\":{\"multipleOf\":2}}}}", "#/items/properties/x~1y/multipleOf");
        refused("{\"patternProperties\":{}}", "#/patternProperties");
        refused("{\"type\":\"text\"}", "#/type");
        refused("{\"$ref\":\"other.json\"}", "$ref");
        refused("{\"$ref\":\"#/$defs/x\"}", "\"$defs\"");
        refused("{\"anyOf\":[{\"type\":\"null\"},{\"format\":\"hostname\"}]}", "#/anyOf/1/format");
        refused("{\"pattern\":\"(?=a)\"}", "#/pattern");
        refused("{\"pattern\":\"a\",\"minLength\":2}", "one kind alone");
        refused("{\"minLength\":-1}", "#/minLength");
        refused("{\"minItems\":3,\"maxItems\":2}", "#/maxItems");
        refused("{\"uniqueItems\":true,\"type\":\"array\"}", "#/uniqueItems");
        refused("{\"required\":[\"a\"],\"properties\":{}}", "#/required");
        refused("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}", "no number");
        refused("{\"type\":\"number\",\"minimum\":0.5}", "#/minimum");
        refused("{\"enum\":[]}", "#/enum");
        refused("{\"allOf\":[{\"$ref\":\"#\"}]}", "circle");
        refused("{\"allOf\":[{\"additionalProperties\":false},{\"properties\":{\"a\":{}}}]}", "forbids");
        refused("false", "false");
        refused("[]", "a schema is an object");
        refused("{\"a\":1,}", "offset 7");
        refused("{\"a\":1,\"a\":2}", "twice");
        refused("[".repeat(5000), "deep");
        refused("{\"items\":".repeat(150) + "{}" + "}".repeat(150) + "x", "offset");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SchemaGrammar.of(Map.of("const", new StringBuilder())))
                .withMessageContaining("StringBuilder");
    }

    private static void refused(String schema, String words) {
        assertThatIllegalArgumentException()
                .as(schema)
                .isThrownBy(() -> SchemaGrammar.of(schema))
                .withMessageContaining(words);
    }

    @Test
    void mapsAreSchemasToo() {
        String grammar = SchemaGrammar.of(Map.of("type", List.of("integer"), "minimum", 3, "maximum", 4.0));
        assertThat(compiled(grammar).match("4").whole()).isTrue();
        assertThat(compiled(grammar).match("5").whole()).isFalse();
    }

    @Test
    void patterns() {
        matches("a|bc*", "a", "b", "bccc", "-ab", "-c");
        matches("^(?:yes|no)$", "yes", "no", "-maybe");
        matches("[^x-z\\d\\]]+", "abc ", "\u20ac", "-x", "-1", "-]");
        matches("(\\w+@\\w+\\.(?:com|org))", "me@here.org", "-me@here.net");
        matches(".{2,3}?", "ab", "a\u20acb", "-a", "-a\n");
        matches("\\u20ac\\x41\\{\\n", "\u20acA{\n");
        matches("a{0}b", "b", "-ab");
        matches("\\ud83d\\ude00", "\ud83d\ude00");
        for (String wrong : List.of(
                "(",
                "a)",
                "[a",
                "a**",
                "a{2,1}",
                "x{,3}",
                "(?=a)",
                "\\1",
                "\\bx",
                "a^b",
                "^a|b$",
                "\\u12",
                "[z-a]",
                "a$b",
                "(a$)",
                "[\\d-z]",
                "*",
                "\\",
                "[a&&b]",
                "\ud800",
                "[^\\s\\S]",
                "a++")) {
            assertThatIllegalArgumentException().as(wrong).isThrownBy(() -> RegexGrammar.of(wrong));
        }
    }

    private static void matches(String pattern, String... texts) {
        NativeGrammar grammar = compiled(RegexGrammar.of(pattern));
        for (String text : texts) {
            boolean not = text.startsWith("-");
            assertThat(grammar.match(not ? text.substring(1) : text).whole())
                    .as("%s with %s", text, pattern)
                    .isEqualTo(!not);
        }
    }
}
