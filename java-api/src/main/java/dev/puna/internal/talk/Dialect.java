// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The marks that a model puts around its reasoning and its calls, by what its own chat template says of them.
 * Immutable.
 *
 * @param reasoning marks, or null if the template knows none
 * @param tools the format of calls, or null if the template knows none
 */
public record Dialect(@Nullable Marks reasoning, @Nullable ToolFormat tools) {
    /** Of a text that nobody takes apart. */
    public static final Dialect NONE = new Dialect(null, null);

    /**
     * What stands around something.
     *
     * @param open in front
     * @param close behind
     */
    public record Marks(String open, String close) {}

    /** Reasoning; the first row that a template mentions counts. */
    private static final List<Marks> REASONING = List.of(
            new Marks("<think>", "</think>"),
            new Marks("[THINK]", "[/THINK]"),
            new Marks("<seed:think>", "</seed:think>"),
            new Marks("<|START_THINKING|>", "<|END_THINKING|>"));

    /** A format, and how a template gives it away. */
    private record Row(Predicate<String> template, ToolFormat format) {}

    /** Calls; the first row that fits counts, so that the more particular ones stand first. */
    private static final List<Row> TOOLS = List.of(
            new Row(with("<seed:tool_call>"), new XmlCalls("<seed:tool_call>", "</seed:tool_call>")),
            new Row(with("<tool_call>", "<function="), new XmlCalls("<tool_call>", "</tool_call>")),
            new Row(with("<tool_call>"), new JsonBlock("<tool_call>", "</tool_call>")),
            new Row(with("[TOOL_CALLS]"), new MistralCalls()),
            new Row(with("<|START_ACTION|>"), new JsonBlock("<|START_ACTION|>", "<|END_ACTION|>")),
            new Row(with("<|tool_call|>", "<|/tool_call|>"), new JsonBlock("<|tool_call|>", "<|/tool_call|>")),
            new Row(with("<|tool_call|>"), new JsonBlock("<|tool_call|>", "")),
            new Row(with("<function=", "</function>"), new FunctionTag()),
            new Row(with("dictionary of argument name"), new BareJson()),
            new Row(with("<|python_tag|>"), new BareJson()));

    private static Predicate<String> with(String... parts) {
        return template -> List.of(parts).stream().allMatch(template::contains);
    }

    /**
     * The dialect of a model.
     *
     * @param template its own, or an empty text
     * @return the dialect
     */
    public static Dialect of(String template) {
        Marks reasoning = REASONING.stream()
                .filter(marks -> template.contains(marks.open()) || template.contains(marks.close()))
                .findFirst()
                .orElse(null);
        ToolFormat tools = TOOLS.stream()
                .filter(row -> row.template().test(template))
                .map(Row::format)
                .findFirst()
                .orElse(null);
        return new Dialect(reasoning, tools);
    }

    /** {@return all marks: a vocabulary may have control tokens for them, whose text would not be seen} */
    public List<String> marks() {
        List<String> marks = new ArrayList<>();
        if (reasoning != null) {
            marks.add(reasoning.open());
            marks.add(reasoning.close());
        }
        if (tools != null) {
            marks.add(tools.open());
            marks.add(tools.close());
            marks.addAll(tools.inner());
        }
        marks.removeIf(String::isEmpty);
        return marks;
    }

    /**
     * Whether a prompt ends inside the reasoning, which its template opened.
     *
     * @param prompt as the model reads it
     * @return whether the answer begins in the middle of it
     */
    public boolean opensReasoning(String prompt) {
        return reasoning != null && prompt.stripTrailing().endsWith(reasoning.open());
    }
}
