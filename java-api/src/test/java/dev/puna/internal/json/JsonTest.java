// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void values() {
        assertThat(Json.parse(
                        " {\"a\" : [1, -2.5e1, true, false], \"b\": {}, \"c\": [ ] , \"d\":\"\\u00e4\\n\\\"\\/\"} "))
                .isEqualTo(Map.of("a", List.of(1L, -25.0, true, false), "b", Map.of(), "c", List.of(), "d", "ä\n\"/"));
        assertThat(Json.parse("null")).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[1,",
                "[1 2]",
                "{\"a\"}",
                "{a:1}",
                "\"x",
                "\"\\q\"",
                "\"\\u12g4\"",
                "\"\\u\u0661\u0662\u0663\u0664\"",
                "\"\\u12",
                "tru",
                "1 2",
                "-",
                "01",
                "1.",
                ".5",
                "+1",
                "1e99999999",
                "<html>",
                "{\"a\":1,}"
            })
    void mistakes(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Json.parse(text)).withMessageContaining("offset");
    }

    @Test
    void aSchemaIsReadAsItIsWritten() {
        assertThat(Json.parseExactly("{\"a\": 1.0, \"b\": [1e2, null]}", "it"))
                .isEqualTo(Map.of("a", new BigDecimal("1.0"), "b", Arrays.asList(new BigDecimal("1e2"), null)));
        for (String wrong : List.of("{\"a\":1,\"a\":2}", "1".repeat(101), "1e12345", "[".repeat(300))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Json.parseExactly(wrong, "the schema"))
                    .withMessageStartingWith("the schema is not JSON at offset");
        }
        assertThat(Json.parse("{\"a\":1,\"a\":2}")).isEqualTo(Map.of("a", 2L));
        assertThat(Json.parse("1".repeat(101))).isInstanceOf(BigInteger.class);
    }

    @Test
    void numbersAreExact() {
        assertThat(Json.parse("[9223372036854775807, 9223372036854775808, 0.1, 0.1234567890123456789012, 1e400]"))
                .isEqualTo(List.of(
                        Long.MAX_VALUE,
                        new BigInteger("9223372036854775808"),
                        0.1,
                        new BigDecimal("0.1234567890123456789012"),
                        new BigDecimal("1e400")));
    }

    @Test
    void writtenValuesAreReadBack() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("text", "\"\\/\n\u0001 ä😀\ud800");
        value.put("numbers", List.of(1L, 2.5, new BigInteger("9223372036854775808"), new BigDecimal("1e400")));
        value.put("nothing", null);
        value.put("empty", List.of(Map.of(), List.of(), true));
        String written = Json.write(value);
        assertThat(Json.parse(written)).isEqualTo(value);
        assertThat(written).doesNotContain("\n").endsWith("\"nothing\": null, \"empty\": [{}, [], true]}");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Json.write(Double.NaN))
                .withMessageContaining("NaN");
        assertThatIllegalArgumentException().isThrownBy(() -> Json.write(Thread.class));
    }

    @Test
    void aValueMayStandBeforeOtherText() {
        assertThat(Json.prefix(" {\"a\": 1} and so on")).isEqualTo(new Json.Prefix(Map.of("a", 1L), 9));
        assertThatIllegalArgumentException().isThrownBy(() -> Json.prefix("and so on"));
    }

    @Test
    void depthIsBounded() {
        assertThatIllegalArgumentException().isThrownBy(() -> Json.parse("[".repeat(100_000)));
    }
}
