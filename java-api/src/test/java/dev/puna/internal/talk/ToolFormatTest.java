// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.Channel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The forms are those that the models' own templates and model cards show. */
class ToolFormatTest {
    private static final Tools TOOLS = new Tools(Map.of(
            "weather",
            Map.of("properties", Map.of("zip", Map.of("type", "string"), "days", Map.of("type", "integer")))));

    private static List<Call> calls(String template, String answer) {
        Splitter splitter = new Speech(Dialect.of(template), false, TOOLS).splitter();
        List<Part> parts = new ArrayList<>(splitter.text(answer));
        parts.addAll(splitter.end());
        if (splitter.calls().isEmpty()) {
            assertThat(parts).allMatch(part -> part.channel() == Channel.ANSWER);
            assertThat(parts.stream().map(Part::text).reduce("", String::concat))
                    .isEqualTo(answer);
        } else {
            assertThat(parts).allMatch(part -> part.channel() == Channel.TOOL_CALL);
        }
        return splitter.calls();
    }

    private static Call call(String name, Object... arguments) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            map.put((String) arguments[i], arguments[i + 1]);
        }
        return new Call("", name, map);
    }

    @Test
    void hermes() {
        String template = "{{ '<tool_call>' }}";
        assertThat(calls(template, "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"days\": 2}}\n</tool_call>"))
                .containsExactly(call("weather", "days", 2L));
        assertThat(calls(
                        template,
                        "<tool_call>{\"name\": \"weather\", \"arguments\": \"{\\\"days\\\": 2}\"}</tool_call>"))
                .containsExactly(call("weather", "days", 2L));
        assertThat(calls(template, "<tool_call>{\"arguments\": {}}</tool_call>"))
                .isEmpty();
        assertThat(calls(template, "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>"))
                .isEmpty();
        assertThat(calls(template, "<tool_call></tool_call>")).isEmpty();
    }

    @Test
    void mistral() {
        String template = "[TOOL_CALLS]";
        assertThat(calls(
                        template,
                        "[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"days\": 2}, \"id\": \"abcdefghi\"},"
                                + " {\"name\": \"other\", \"arguments\": {}}]"))
                .containsExactly(new Call("abcdefghi", "weather", Map.of("days", 2L)), call("other"));
        assertThat(calls(template, "[TOOL_CALLS]weather[CALL_ID]abcdefghi[ARGS]{\"days\": 2}[TOOL_CALLS]other[ARGS]{}"))
                .containsExactly(new Call("abcdefghi", "weather", Map.of("days", 2L)), call("other"));
        assertThat(calls(template, "[TOOL_CALLS]weather")).isEmpty();
    }

    @Test
    void llama() {
        String template = "{\"name\": function name, \"parameters\": dictionary of argument name and its value}";
        assertThat(calls(template, "{\"name\": \"weather\", \"parameters\": {\"days\": 2}}"))
                .containsExactly(call("weather", "days", 2L));
        Splitter tagged = new Speech(Dialect.of(template), false, TOOLS).splitter();
        assertThat(tagged.mark("<|python_tag|>")).isEmpty(); // a control token
        tagged.text("{\"name\": \"weather\", \"parameters\": {\"days\": 2}}");
        tagged.end();
        assertThat(tagged.calls()).containsExactly(call("weather", "days", 2L));
        assertThat(calls(template, "{\"name\": \"a\", \"parameters\": {}}; {\"name\": \"b\", \"parameters\": {}}"))
                .containsExactly(call("a"), call("b"));
        assertThat(calls(template, "{\"weather\": \"rain\"}")).isEmpty();
        assertThat(calls(template, "{ is a brace")).isEmpty();
    }

    @Test
    void qwenCoder() {
        String template = "<tool_call>\n<function=example>";
        assertThat(calls(
                        template,
                        "<tool_call>\n<function=weather>\n<parameter=zip>\n01234\n</parameter>\n<parameter=days>\n2\n"
                                + "</parameter>\n<parameter=more>\n[1, \"a\"]\n</parameter>\n<parameter=text>\ntwo\nlines\n"
                                + "</parameter>\n</function>\n</tool_call>"))
                .containsExactly(
                        call("weather", "zip", "01234", "days", 2L, "more", List.of(1L, "a"), "text", "two\nlines"));
        assertThat(calls(template, "<tool_call><function=f></function></tool_call>"))
                .containsExactly(call("f"));
        assertThat(calls(template, "<tool_call><function=f><parameter=a>1</function></tool_call>"))
                .isEmpty();
    }

    @Test
    void others() {
        assertThat(calls("<|tool_call|>", "<|tool_call|>[{\"name\": \"f\", \"arguments\": {}}]"))
                .containsExactly(call("f"));
        assertThat(calls(
                        "<|START_ACTION|>",
                        "<|START_ACTION|>[{\"tool_call_id\": \"0\", \"tool_name\": \"f\", \"parameters\": {}}]"
                                + "<|END_ACTION|>"))
                .containsExactly(new Call("0", "f", Map.of()));
        assertThat(calls("<function=NAME></function>", "<function=weather>{\"days\": 2}</function>"))
                .containsExactly(call("weather", "days", 2L));
    }
}
