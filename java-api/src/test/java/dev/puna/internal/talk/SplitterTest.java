// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.Channel;
import dev.puna.testing.Seeded;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SplitterTest {
    private static final Dialect QWEN = Dialect.of("<think> </think> <tool_call>");
    private static final Tools TOOLS = new Tools(Map.of("f", Map.of()));

    /** All that came out, each run of a channel once: "A:text|R:text|T:text". */
    private static String joined(List<Part> parts) {
        StringBuilder all = new StringBuilder();
        Channel last = null;
        for (Part part : parts) {
            assertThat(part.text()).isNotEmpty();
            if (part.channel() != last || part.channel() == Channel.TOOL_CALL) {
                all.append(last == null ? "" : "|")
                        .append(part.channel().name().charAt(0))
                        .append(':');
            }
            all.append(part.text());
            last = part.channel();
        }
        return all.toString();
    }

    private static String split(Speech speech, String... chunks) {
        Splitter splitter = speech.splitter();
        List<Part> parts = new ArrayList<>();
        for (String chunk : chunks) {
            parts.addAll(chunk.startsWith("\1") ? splitter.mark(chunk.substring(1)) : splitter.text(chunk));
        }
        parts.addAll(splitter.end());
        return joined(parts);
    }

    private static Speech qwen(boolean reasoning) {
        return new Speech(QWEN, reasoning, TOOLS);
    }

    private static final String CALL = "{\"name\": \"f\", \"arguments\": {}}";

    private static final Map<String, String> ANSWERS = Map.ofEntries(
            Map.entry("Hello.\n", "A:Hello.\n"),
            Map.entry("  \n", "A:  \n"),
            Map.entry("", ""),
            Map.entry("<think>\nHm.\n</think>\n\nHello.", "R:Hm.|A:Hello."),
            Map.entry("<think>\n\n</think>\n\nHello.", "A:Hello."),
            Map.entry("<think>Hm. And so", "R:Hm. And so"),
            Map.entry("<think>a\n\n b</think>", "R:a\n\n b"),
            Map.entry("<think>a </thin k></think>b", "R:a </thin k>|A:b"),
            Map.entry("</think>\nHello.", "A:Hello."),
            Map.entry("The mark <think> opens it </think>.", "A:The mark <think> opens it </think>."),
            Map.entry("a < b <tool", "A:a < b <tool"),
            Map.entry("<tool_call>\n" + CALL + "\n</tool_call>", "T:" + CALL),
            Map.entry(
                    "Wait.\n<tool_call>" + CALL + "</tool_call>\n<tool_call>" + CALL + "</tool_call>\n",
                    "A:Wait.|T:" + CALL + "|T:" + CALL),
            Map.entry("<think>x</think>\n<tool_call>" + CALL + "</tool_call>", "R:x|T:" + CALL),
            Map.entry("<tool_call>" + CALL, "T:" + CALL),
            Map.entry("a <tool_call>{\"name\": </tool_call> b", "A:a <tool_call>{\"name\": </tool_call> b"),
            Map.entry("a\n<tool_call>{\"na", "A:a\n<tool_call>{\"na"),
            Map.entry(
                    "<tool_call>{}</tool_call><tool_call>" + CALL + "</tool_call>",
                    "A:<tool_call>{}</tool_call>|T:" + CALL));

    @Test
    void aTextIsTakenApart() {
        ANSWERS.forEach(
                (text, parts) -> assertThat(split(qwen(false), text)).as(text).isEqualTo(parts));
    }

    @Test
    void everyCutGivesTheSame() {
        ANSWERS.forEach((text, parts) -> {
            for (int i = 0; i <= text.length(); i++) {
                assertThat(split(qwen(false), text.substring(0, i), text.substring(i)))
                        .as(text.substring(0, i) + "^" + text.substring(i))
                        .isEqualTo(parts);
            }
            assertThat(split(qwen(false), text.split(""))).as(text).isEqualTo(parts);
        });
    }

    /** Random pieces of marks and text, cut at random: nothing depends on the cuts, and nothing is lost. */
    @Seeded(rounds = 300)
    void randomCutsGiveTheSame(Random random) {
        String[] pieces = {
            "<think>",
            "</think>",
            "<tool_call>",
            "</tool_call>",
            CALL,
            " ",
            "\n",
            "a",
            "<",
            "<th",
            "</",
            "{",
            "é😀",
            ">"
        };
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i >= 0; i--) {
            text.append(pieces[random.nextInt(pieces.length)]);
        }
        boolean reasoning = random.nextBoolean();
        String whole = split(qwen(reasoning), text.toString());
        List<String> chunks = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            int end = Math.min(text.length(), at + 1 + random.nextInt(6));
            chunks.add(text.substring(at, end));
            at = end;
        }
        assertThat(split(qwen(reasoning), chunks.toArray(String[]::new)))
                .as(text.toString())
                .isEqualTo(whole);
        String left = whole.replaceAll("[ART]:|\\|", "").replaceAll("</?(think|tool_call)>|\\s", "");
        assertThat(left).isEqualTo(text.toString().replaceAll("</?(think|tool_call)>|\\s", ""));
    }

    @Test
    void aTemplateMayHaveOpenedTheReasoning() {
        assertThat(QWEN.opensReasoning("<|im_start|>assistant\n<think>\n")).isTrue();
        assertThat(QWEN.opensReasoning("<|im_start|>assistant\n<think>\n\n</think>\n\n"))
                .isFalse();
        assertThat(split(qwen(true), "Hm.\n</think>\n\nHello.")).isEqualTo("R:Hm.|A:Hello.");
        assertThat(split(qwen(true), "Hm. It was cut")).isEqualTo("R:Hm. It was cut");
    }

    @Test
    void controlTokensAreMarks() {
        Speech mistral = new Speech(Dialect.of("[THINK][/THINK][TOOL_CALLS]"), false, TOOLS);
        assertThat(split(mistral, "\1[THINK]", "Hm. ", "\1[/THINK]", "Hello.")).isEqualTo("R:Hm.|A:Hello.");
        assertThat(split(mistral, "Wait ", "\1[TOOL_CALLS]", "f", "\1[ARGS]", "{\"a\"", ": 1}"))
                .isEqualTo("A:Wait|T:f[ARGS]{\"a\": 1}");
        assertThat(split(mistral, "\1[TOOL_CALLS]", "f", "\1[ARGS]", "{\"a\""))
                .isEqualTo("A:[TOOL_CALLS]f[ARGS]{\"a\"");
        assertThat(split(mistral, "[TH", "\1[THINK]", "a")).isEqualTo("A:[TH|R:a");
        assertThat(split(mistral, "a", "\1[/THINK]", "b")).isEqualTo("A:ab");
    }

    @Test
    void withoutToolsNothingIsACall() {
        Speech none = new Speech(new Dialect(QWEN.reasoning(), null), false, Tools.NONE);
        String text = "<tool_call>" + CALL + "</tool_call>";
        assertThat(split(none, text)).isEqualTo("A:" + text);
        assertThat(split(Speech.PLAIN, "<think>", " a ", "</think>")).isEqualTo("A:<think> a </think>");
    }
}
