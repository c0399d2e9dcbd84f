// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.puna.TemplateException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hostile templates end soon, with a sentence. */
class LimitsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ 'x' * 10 ** 9 }}",
                "{{ 'x' * 10 ** 30 }}",
                "{{ [0] * 10 ** 9 }}",
                "{{ range(10 ** 9) }}",
                "{{ range(10 ** 40) | length }}",
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s.replace('x', 'xx') %}{% endfor %}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}"
                        + "{{ ns.s | tojson }}",
                "{% set a = namespace(s=[1]) %}{% set b = namespace(s=[1]) %}{% for i in range(99) %}"
                        + "{% set a.s = [a.s, a.s] %}{% set b.s = [b.s, b.s] %}{% endfor %}{{ a.s == b.s }}",
                "{% set a = namespace(s=[1]) %}{% set b = namespace(s=[1]) %}{% for i in range(99) %}"
                        + "{% set a.s = [a.s, a.s] %}{% set b.s = [b.s, b.s] %}{% endfor %}{{ a.s < b.s }}",
                "{% set a = namespace(s=(1,)) %}{% for i in range(99) %}{% set a.s = (a.s, a.s) %}{% endfor %}"
                        + "{{ {a.s: 1} }}",
                "{% set a = namespace(s=[1]) %}{% for i in range(9999) %}{% set a.s = [a.s] %}{% endfor %}{{ a.s }}",
                "{% set a = namespace(l=[]) %}{% set s = 'x' * 1000000 %}{% for i in range(99999) %}"
                        + "{% set a.l = a.l + [s ~ i] %}{% endfor %}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
                "{% for x in [[]] recursive %}{{ loop([[]]) }}{% endfor %}",
                "{{ 2 ** 2 ** 100000 }}",
                "{% set ns = namespace(n=10) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
                "{{ 'a'.center(10 ** 12) }}",
                "{{ '%999999999d' % 1 }}",
                "{{ '{:999999999}'.format(1) }}",
                "{{ '%.999999999f' % 1.5 }}",
                "{{ 'a' | indent(10 ** 9, true) }}",
                "{{ [1] | batch(10 ** 9, 'x') | list }}",
                "{{ [1] | slice(10 ** 9, 'x') | list }}",
                "{{ [1] | tojson(indent=10 ** 9) }}",
                "{% set s = 'x' * 9000000 %}{% set r = s ~ '' %}{% for i in range(99999) %}{% if s == r ~ '' %}{% endif %}"
                        + "{% endfor %}",
                "{% set s = 'x' * 9000000 %}{% for i in range(99999) %}{% for j in range(99) %}{{ s[i] if s is upper }}"
                        + "{% endfor %}{% endfor %}",
                "{% set s = 'xy' * 900000 %}{% for i in range(99999) %}{% for j in range(99) %}{% if 'yy' in s %}{% endif %}"
                        + "{% endfor %}{% endfor %}",
            })
    void endsWithASentence(String source) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () -> assertThatThrownBy(() -> Templates.render(source, Map.of()))
                        .isInstanceOf(TemplateException.class)
                        .hasMessageMatching(
                                "(?s).*(limit|nested|too large|more than|cannot be a key|widths?|no value).*"));
    }

    @Test
    void deepSourcesEndWithASentence() {
        for (String[] nest : new String[][] {
            {"{{ ", "(", "1", ")", " }}"},
            {"{{ ", "[", "1", "]", " }}"},
            {"{{ ", "not ", "1", "", " }}"},
            {"{{ ", "-", "1", "", " }}"},
            {"{{ ", "{1: ", "1", "}", " }}"},
            {"", "{% if 1 %}", "x", "{% endif %}", ""},
            {"", "{% for i in [1] %}", "x", "{% endfor %}", ""},
            {"{{ a", "[a", "", "]", " }}"},
            {"{{ ", "f(", "1", ")", " }}"},
            {"{% for ", "(", "a", ")", " in [1] %}{% endfor %}"},
            {"{{ 1", " + 1", "", "", " }}"},
            {"{{ a", ".b", "", "", " }}"},
            {"{{ 1", " | string", "", "", " }}"},
            {"{{ 1", " if 1 else 1", "", "", " }}"},
            {"{{ 1", " if 1", "", "", " }}"},
            {"{{ 'a'", "[0]", "", "", " }}"},
        }) {
            String source = nest[0] + nest[1].repeat(15_000) + nest[2] + nest[3].repeat(15_000) + nest[4];
            assertThatThrownBy(() -> Templates.render(source, Map.of()))
                    .as(nest[1])
                    .isInstanceOf(TemplateException.class)
                    .hasMessageContaining("nested");
        }
    }

    @Test
    void deepVariablesEndWithASentence() {
        List<Object> list = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            list = new ArrayList<>(List.of(list));
        }
        List<Object> deep = list;
        assertThatThrownBy(() -> Templates.render("x", Map.of("deep", deep)))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("nested deeper than");
    }

    @Test
    void eachLimitIsKept() {
        assertThatThrownBy(() -> limited("{% for i in range(60) %}{% endfor %}", new Limits(50, 99, 9999, 99, 99)))
                .hasMessageContaining("50 steps");
        assertThatThrownBy(() -> limited("{% for i in range(60) %}ab{% endfor %}", new Limits(9999, 99, 9999, 99, 99)))
                .hasMessageContaining("limit of 99");
        assertThatThrownBy(() -> limited("{{ range(100) }}", new Limits(9999, 999, 9999, 99, 99)))
                .hasMessageContaining("range of 100");
        assertThatThrownBy(() -> limited("{{ ((((1))) + (1)) * [1 + [2][0]][0] }}", new Limits(9999, 99, 9999, 4, 99)))
                .hasMessageContaining("limit of 4");
        assertThat(limited("{% for i in range(20) %}ab{% endfor %}", new Limits(9999, 99, 9999, 99, 99)))
                .hasSize(40);
    }

    private static String limited(String source, Limits limits) {
        return ChatTemplate.parse(source)
                .render(Map.of(), Map.of(), limits, Templates.NOW)
                .text();
    }

    @Test
    void longConversationsAreFine() {
        List<Map<String, ?>> messages = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            messages.add(Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "text ".repeat(1000)));
        }
        Rendered rendered = Templates.render(
                "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}",
                Map.of("messages", messages));
        assertThat(rendered.text().length()).isGreaterThan(9_000_000);
        assertThat(rendered.segments()).hasSize(2000 * 4 + 1);
    }
}
