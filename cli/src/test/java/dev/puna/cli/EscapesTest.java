// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Nothing that a token spells can reach a terminal as more than text. */
class EscapesTest {
    @Test
    void textIsShown() {
        assertThat(Escapes.of("héllo 안녕 😀".getBytes(StandardCharsets.UTF_8))).isEqualTo("\"héllo 안녕 😀\"");
        assertThat(Escapes.of("a\"b\\c\n\r\t".getBytes(StandardCharsets.UTF_8))).isEqualTo("\"a\\\"b\\\\c\\n\\r\\t\"");
    }

    @Test
    void whatWouldActIsNamed() {
        assertThat(Escapes.of("\033[31m\0\u202e\u2028".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo("\"\\u{1b}[31m\\u{0}\\u{202e}\\u{2028}\"");
        assertThat(Escapes.of(new byte[] {'a', (byte) 0xf0, (byte) 0x9f, 27})).isEqualTo("\"a\\xf0\\x9f\\u{1b}\"");
    }
}
