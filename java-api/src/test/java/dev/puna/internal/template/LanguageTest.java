// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.TemplateException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The language, feature by feature, against results recorded from jinja2 under transformers' settings. */
class LanguageTest {
    @TestFactory
    Stream<DynamicTest> rendersAsJinja2Does() {
        List<Templates.Example> examples = Templates.examples();
        assertThat(examples).hasSizeGreaterThan(290);
        return examples.stream()
                .map(example -> DynamicTest.dynamicTest(name(example.source()), () -> {
                    if (example.result() == null) {
                        assertThatThrownBy(() -> Templates.render(example.source(), Templates.variables()))
                                .isInstanceOf(TemplateException.class);
                    } else {
                        assertThat(Templates.render(example.source(), Templates.variables())
                                        .text())
                                .isEqualTo(example.result());
                    }
                }));
    }

    private static String name(String source) {
        return source.isBlank() ? "blank" : source.length() > 60 ? source.substring(0, 60) : source;
    }

    @Test
    void fallbackIsChatMl() {
        List<Map<String, ?>> messages = List.of(
                Templates.map("role", "system", "content", "Be brief."),
                Templates.map("role", "user", "content", "Hi"));
        ChatTemplate template = ChatTemplate.parse(ChatTemplate.CHATML);
        assertThat(template.render(
                                Map.of("messages", messages, "add_generation_prompt", true),
                                Map.of(),
                                Limits.DEFAULT,
                                Templates.NOW)
                        .text())
                .isEqualTo("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                        + "<|im_start|>assistant\n");
        assertThat(template.render(
                                Map.of("messages", messages, "add_generation_prompt", false),
                                Map.of(),
                                Limits.DEFAULT,
                                Templates.NOW)
                        .text())
                .endsWith("Hi<|im_end|>\n");
    }

    @Test
    void javaValuesComeInAsPythonOnes() {
        assertThat(Templates.text(
                        "{{ x }}",
                        "x",
                        Templates.map("a", 1L, "b", 1.5f, "c", List.of(true, 'c' + "", (short) 2), "d", null)))
                .isEqualTo("{'a': 1, 'b': 1.5, 'c': [True, 'c', 2], 'd': None}");
        assertThat(Templates.text("{{ 0.1 + x }}", "x", 0.1f)).isEqualTo("0.2");
        assertThatThrownBy(() -> Templates.text("{{ x }}", "x", new Object()))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("java.lang.Object");
    }

    @Test
    void manyThreadsShareOneTemplate() throws InterruptedException {
        ChatTemplate template = ChatTemplate.parse(
                "{% macro m(x) %}{% for i in range(x) %}{{ i }}{{ loop.last }}{% endfor %}{% endmacro %}{{ m(n) }}");
        String[] results = new String[64];
        List<Thread> threads = new java.util.ArrayList<>();
        for (int t = 0; t < results.length; t++) {
            int n = t;
            threads.add(Thread.startVirtualThread(
                    () -> results[n] = template.render(Map.of("n", n), Map.of(), Limits.DEFAULT, Templates.NOW)
                            .text()));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (int t = 0; t < results.length; t++) {
            StringBuilder expected = new StringBuilder();
            for (int i = 0; i < t; i++) {
                expected.append(i).append(i == t - 1 ? "True" : "False");
            }
            assertThat(results[t]).isEqualTo(expected.toString());
        }
    }
}
