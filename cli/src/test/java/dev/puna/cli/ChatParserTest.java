// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** When a message of several lines is complete, and what it is then. */
class ChatParserTest {
    @Test
    void whatIsOpen() {
        assertThat(ChatParser.isOpen("one\\")).isTrue();
        assertThat(ChatParser.isOpen("one\\\ntwo")).isFalse();
        assertThat(ChatParser.isOpen("```")).isTrue();
        assertThat(ChatParser.isOpen("Look:\n```java\nint i;")).isTrue();
        assertThat(ChatParser.isOpen("```\nint i;\n```")).isFalse();
        assertThat(ChatParser.isOpen("a ``` in the middle")).isFalse();
        assertThat(ChatParser.isOpen("")).isFalse();
    }

    @Test
    void whatIsSaid() {
        assertThat(ChatParser.joined("one\\\ntwo")).isEqualTo("one\ntwo");
        assertThat(ChatParser.joined("```\none\ntwo\n```")).isEqualTo("one\ntwo");
        assertThat(ChatParser.joined("```java\nint i;\n```")).isEqualTo("```java\nint i;\n```");
        assertThat(ChatParser.joined("Look:\n```\nint i;\n```")).isEqualTo("Look:\n```\nint i;\n```");
        assertThat(ChatParser.joined("plain")).isEqualTo("plain");
    }
}
