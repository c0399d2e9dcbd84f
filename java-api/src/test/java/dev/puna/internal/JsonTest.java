// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

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
                .isEqualTo(Map.of("a", List.of(1.0, -25.0, true, false), "b", Map.of(), "c", List.of(), "d", "ä\n\"/"));
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
                "\"\\u12",
                "tru",
                "1 2",
                "-",
                "<html>",
                "{\"a\":1,}"
            })
    void mistakes(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Json.parse(text)).withMessageContaining("offset");
    }

    @Test
    void depthIsBounded() {
        assertThatIllegalArgumentException().isThrownBy(() -> Json.parse("[".repeat(100_000)));
    }
}
