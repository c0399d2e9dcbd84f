// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.puna.testing.Altered;
import dev.puna.testing.Models;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tools from the first question to the last answer, with a real model. The tiny one knows of no tools: its template is
 * another one here, and a grammar leaves it the choice between a call and an answer.
 */
@Timeout(120)
class ToolsInAChatTest {
    private static final String TEMPLATE = """
            {%- if tools %}<|im_start|>system
            Tools: {{ tools | tojson }}. Call one by <tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>
            {% endif %}
            {%- for m in messages %}<|im_start|>{{ m.role }}
            {{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}<|im_end|>
            {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
            {% endif %}""";

    private static final String CALL =
            "\"<tool_call>{\\\"name\\\": \\\"weather\\\", \\\"arguments\\\": {\\\"city\\\": \\\"Seoul\\\"}}</tool_call>\"";
    private static final String ALWAYS = "root ::= " + CALL;
    private static final String PERHAPS = ALWAYS + " | \"It rains.\"";

    @TempDir
    static Path folder;

    private static Model model;

    private final List<String> asked = new ArrayList<>();

    @BeforeAll
    static void load() throws IOException {
        model = Model.builder(Altered.template(Models.TINY, folder.resolve("tools.gguf"), TEMPLATE))
                .defaultContext(o -> o.contextLength(1024).maxSequences(2))
                .load();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Tool("tells the weather of a city")
    String weather(@Param("city") String city) {
        asked.add(city);
        return "rain in " + city;
    }

    private Chat.Turn question(Chat chat, String grammar, long seed) {
        return chat.user("Rain in Seoul?")
                .grammar(grammar)
                .sampler(Sampler.of(Sampler.temperature(1)).seed(seed))
                .maxTokens(200);
    }

    @Test
    void aCallIsRunAndAnswered() {
        for (long seed = 0; seed < 400; seed++) { // one that calls first and answers then
            asked.clear();
            try (Chat chat = model.newChat()) {
                Reply reply = question(chat, PERHAPS, seed)
                        .tools(this)
                        .maxToolRounds(20)
                        .reply();
                assertThat(reply.text()).isEqualTo("It rains.");
                assertThat(reply.stopReason()).isEqualTo(StopReason.END);
                assertThat(reply.toolCalls()).isEmpty();
                List<Message> said = chat.messages();
                assertThat(said).hasSize(2 + 2 * asked.size());
                if (asked.isEmpty()) {
                    continue;
                }
                assertThat(asked).containsOnly("Seoul");
                assertThat(((Message.Assistant) said.get(1)).toolCalls())
                        .singleElement()
                        .satisfies(call -> assertThat(call.name()).isEqualTo("weather"));
                assertThat(said.get(2)).isInstanceOf(Message.ToolResult.class);
                assertThat(said.get(2).text()).contains("rain in Seoul");
                assertThat(reply.usage().cachedTokens()).isPositive(); // the answer goes on from the call
                return;
            }
        }
        throw new AssertionError("no seed makes the model call the tool");
    }

    @Test
    void callsWithoutEndAreBoundedAndLeaveTheChatAsItWas() {
        try (Chat chat = model.newChat()) {
            question(chat, "root ::= \"Hello.\"", 1).text();
            List<Message> before = chat.messages();
            assertThatExceptionOfType(ToolException.class)
                    .isThrownBy(() -> question(chat, ALWAYS, 1)
                            .tools(this)
                            .maxToolRounds(3)
                            .text())
                    .withMessageContaining("3");
            assertThat(asked).hasSizeGreaterThanOrEqualTo(2);
            assertThat(chat.messages()).isEqualTo(before);
            assertThat(question(chat, "root ::= \"Yes.\"", 1).text()).isEqualTo("Yes."); // and it goes on
        }
    }

    /** What a tool does with the chat that called it. */
    static final class Meddler {
        private final Chat chat;

        Meddler(Chat chat) {
            this.chat = chat;
        }

        @Tool("tells the weather of a city")
        String weather(@Param("city") String city) {
            assertThatIllegalStateException().isThrownBy(() -> chat.user(city).text());
            throw new IllegalArgumentException("no such city: " + city);
        }
    }

    @Test
    void aToolThatFailsMayEndTheTurnAndNobodyElseGoesOnMeanwhile() {
        try (Chat chat = model.newChat()) {
            Meddler meddler = new Meddler(chat);
            assertThatExceptionOfType(ToolException.class)
                    .isThrownBy(() -> question(chat, ALWAYS, 1)
                            .tools(meddler)
                            .failOnToolError()
                            .text())
                    .havingRootCause()
                    .withMessage("no such city: Seoul");
            assertThat(chat.messages()).isEmpty();
        }
    }

    @Test
    void aSpecIsLeftToTheCallerAlsoWithoutAChat() {
        ToolSpec spec = new ToolSpec("weather", "tells the weather", Map.of("type", "object", "properties", Map.of()));
        Reply reply = model.chat(List.of(Message.user("Rain?")))
                .tools(List.of(spec))
                .grammar(ALWAYS)
                .maxTokens(200)
                .reply();
        assertThat(reply.stopReason()).isEqualTo(StopReason.TOOL_CALLS);
        assertThat(reply.text()).isEmpty();
        assertThat(reply.toolCalls()).singleElement().satisfies(call -> {
            assertThat(call.name()).isEqualTo("weather");
            assertThat(call.arguments().get("city")).isEqualTo("Seoul");
        });
        assertThat(asked).isEmpty();
    }
}
