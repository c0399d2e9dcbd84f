// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.puna.TemplateException;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Failures name the line and the reason. */
class ErrorTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            quoteCharacter = '^',
            value = {
                "a\\n{{ b  # 2 # without its end",
                "a\\n\\n{% if x %}\\nb # 4 # the template ends where 'elif' or 'else' or 'endif' should stand",
                "\\n{% nonsense %} # 2 # there is no tag 'nonsense'",
                "\\n\\n{{ 'abc }} # 3 # without its closing quote",
                "{{ 1 }}\\n{{ ) }} # 2 # closes nothing",
                "{{ 1 }}\\n{{ 1 2 }} # 2 # '}}' expected",
                "{% for x of y %} # 1 # 'in' expected",
                "{{ 1\\n+\\n* }} # 3 # where an expression should stand",
                "{% break %} # 1 # outside a loop",
                "\\n{% raw %} # 2 # a raw block without its end",
                "{{ not_there.x }} # 1 # 'not_there' is undefined",
                "a\\nb\\n{{ s.x.y }} # 3 # has no attribute 'x'",
                "{% for i in [1] %}\\n{{ i + 'a' }}\\n{% endfor %} # 2 # types int and str",
                "{% macro m() %}\\n\\n{{ 1 / 0 }}{% endmacro %}\\n\\n\\n{{ m() }} # 3 # division by zero",
                "\\n{{ raise_exception('Only ' ~ s) }} # 2 # Only text",
                "\\n{{ s | nothing }} # 2 # there is no filter 'nothing'",
                "\\n{{ s is nothing }} # 2 # there is no test 'nothing'",
                "{{\\n s\\n | upper\\n | tojson(5, 6, 7, 8, 9) }} # 4 # at most 4 arguments",
                "{% set s.x = 1 %} # 1 # is no namespace",
                "{{ [1].append(2) }} # 1 # may not change a list",
                "{{ strftime_now('%Q') }} # 1 # knows no '%Q'",
            })
    void names(String source, int line, String reason) {
        String template = source.replace("\\n", "\n");
        TemplateException failure =
                catchThrowableOfType(TemplateException.class, () -> Templates.render(template, Map.of("s", "text")));
        assertThat(failure).as(source).isNotNull();
        assertThat(failure.getMessage()).contains(reason).contains("line " + line);
    }
}
