// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import dev.puna.TemplateException;
import dev.puna.internal.template.Node.Stmt;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template, parsed: Jinja as transformers sets it up (trim_blocks, lstrip_blocks, loop controls,
 * {@code generation} blocks, {@code tojson}, {@code raise_exception}, {@code strftime_now}, a sandbox in which lists
 * and dicts cannot be changed).
 *
 * <pre>{@code
 * ChatTemplate template = ChatTemplate.parse(source);
 * Rendered prompt = template.render(
 *         Map.of("messages", messages, "add_generation_prompt", true), Map.of("eos_token", "<|im_end|>"),
 *         Limits.DEFAULT, Clock.systemDefaultZone());
 * }</pre>
 *
 * <p>Immutable; any number of threads may render at once.
 */
public final class ChatTemplate {
    /** ChatML: what is used when a model brings no template. */
    public static final String CHATML = """
            {%- for message in messages -%}
            {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' -}}
            {%- endfor -%}
            {%- if add_generation_prompt -%}
            {{- '<|im_start|>assistant\\n' -}}
            {%- endif -%}
            """;

    /**
     * Turns as Gemma was taught them, for its files that bring no template. There is no system role: what it says
     * stands in front of what the user says first.
     */
    public static final String TURNS = """
            {{- bos_token -}}
            {%- set first = namespace(before='') -%}
            {%- for message in messages -%}
            {%- if message['role'] == 'system' -%}
            {%- set first.before = message['content'] + '\\n\\n' -%}
            {%- else -%}
            {{- '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\\n' -}}
            {{- first.before + message['content'] | trim + '<end_of_turn>\\n' -}}
            {%- set first.before = '' -%}
            {%- endif -%}
            {%- endfor -%}
            {%- if add_generation_prompt -%}
            {{- '<start_of_turn>model\\n' -}}
            {%- endif -%}
            """;

    private static final int MAX_SOURCE = 1_000_000;

    private final List<Stmt> body;

    private ChatTemplate(List<Stmt> body) {
        this.body = body;
    }

    /**
     * Parses a template.
     *
     * @param source the template's text
     * @return the template
     * @throws TemplateException when the text is no valid template; it names the line
     */
    public static ChatTemplate parse(String source) {
        if (source.length() > MAX_SOURCE) {
            throw new TemplateException(null, 0, "a template of more than " + MAX_SOURCE + " characters");
        }
        try {
            return new ChatTemplate(Parser.parse(source));
        } catch (StackOverflowError deep) {
            throw new TemplateException(null, 0, "nested too deep");
        }
    }

    /**
     * Renders a conversation.
     *
     * @param foreign variables from outside, whose every text is untrusted: messages, tools, the user's own; texts,
     *     numbers, booleans, null, lists and maps of these. They win over trusted ones of the same name
     * @param trusted variables from the model itself, such as {@code bos_token}
     * @param limits what the rendering may use
     * @param clock the time that {@code strftime_now} tells, in the clock's zone
     * @return the text with its origins
     * @throws TemplateException when the template refuses the messages, fails on them, or passes a limit
     */
    public Rendered render(
            Map<String, ? extends @Nullable Object> foreign,
            Map<String, ? extends @Nullable Object> trusted,
            Limits limits,
            Clock clock) {
        Map<String, Value> variables = new HashMap<>();
        int line = 0;
        @Nullable Interpreter interpreter = null;
        try {
            trusted.forEach((name, value) -> variables.put(name, Values.from(value, true, 0)));
            foreign.forEach((name, value) -> variables.put(name, Values.from(value, false, 0)));
            long size = variables.values().stream().mapToLong(Values::size).sum();
            interpreter = new Interpreter(new Budget(limits, size), clock);
            return new Rendered(interpreter.run(body, variables).runs());
        } catch (Failure failure) {
            line = interpreter == null ? 0 : interpreter.line();
            throw new TemplateException(null, line, failure.reason());
        } catch (ArithmeticException overflow) {
            line = interpreter == null ? 0 : interpreter.line();
            throw new TemplateException(null, line, "a number too large to work with");
        } catch (StackOverflowError deep) {
            line = interpreter == null ? 0 : interpreter.line();
            throw new TemplateException(null, line, "nested too deep");
        }
    }
}
