// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.json.Fields;
import dev.puna.internal.json.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a saved chat says in JSON: whose it is, what was said, and the ids that stand for it. What is read is checked
 * for form here; whether it fits a model is the chat's question.
 */
final class ChatJson {
    private static final int VERSION = 1;

    private ChatJson() {}

    /**
     * A chat.
     *
     * @param library the library's version that wrote it
     * @param arithmetic the version of the arithmetic contract
     * @param modelName may be empty
     * @param fingerprint the model's
     * @param template the chat template's digest
     * @param cacheType of the context
     * @param messages what was said
     * @param variables of the template
     * @param contextShift whether the oldest turns are forgotten where the context is full
     * @param forgotten messages behind the system's that the model is not told of any more
     * @param transcript the ids that stand for it
     */
    record Saved(
            String library,
            int arithmetic,
            String modelName,
            long fingerprint,
            String template,
            CacheType cacheType,
            List<Message> messages,
            Map<String, ?> variables,
            boolean contextShift,
            int forgotten,
            Transcript transcript) {}

    static String write(Saved saved) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("puna_chat", VERSION);
        all.put("library", saved.library());
        all.put("arithmetic", saved.arithmetic());
        all.put("model", Map.of("name", saved.modelName(), "fingerprint", Long.toHexString(saved.fingerprint())));
        all.put("template", saved.template());
        all.put("cache", saved.cacheType().name());
        all.put("messages", saved.messages().stream().map(ChatJson::message).toList());
        all.put("variables", saved.variables());
        all.put("context_shift", saved.contextShift());
        all.put("forgotten", saved.forgotten());
        all.put("transcript", transcript(saved.transcript()));
        String json = Json.write(all);
        Json.parse(json); // what a reader would refuse (nested too deep) is refused before it is lost
        return json;
    }

    private static Map<String, Object> message(Message message) {
        Map<String, Object> fields = new LinkedHashMap<>();
        switch (message) {
            case Message.System _ -> fields.put("role", "system");
            case Message.User _ -> fields.put("role", "user");
            case Message.Assistant assistant -> {
                fields.put("role", "assistant");
                fields.put("reasoning", assistant.reasoning());
                fields.put(
                        "calls",
                        assistant.toolCalls().stream().map(ChatJson::call).toList());
            }
            case Message.ToolResult result -> {
                fields.put("role", "tool");
                fields.put("call", result.callId());
                fields.put("name", result.name());
            }
        }
        List<Object> content = new ArrayList<>();
        for (Content part : message.content()) {
            if (part instanceof Content.Text text) {
                content.add(Map.of("text", text.text()));
            }
        }
        fields.put("content", content);
        return fields;
    }

    private static Map<String, Object> call(ToolCall call) {
        return Map.of("id", call.id(), "name", call.name(), "arguments", call.arguments());
    }

    private static Map<String, Object> transcript(Transcript transcript) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("text", transcript.text());
        List<Integer> control = new ArrayList<>();
        BitSet bits = transcript.control();
        for (int from = bits.nextSetBit(0); from >= 0; from = bits.nextSetBit(control.getLast())) {
            control.add(from);
            control.add(bits.nextClearBit(from));
        }
        fields.put("control", control);
        fields.put("ids", Arrays.stream(transcript.ids()).boxed().toList());
        List<Integer> marks = new ArrayList<>();
        transcript.marks().forEach(mark -> marks.addAll(List.of(mark.characters(), mark.count())));
        fields.put("marks", marks);
        return fields;
    }

    /**
     * Reads a chat.
     *
     * @param json what was written
     * @return the chat
     * @throws IllegalArgumentException if it is none: says why
     */
    static Saved parse(String json) {
        Fields all = new Fields("", Json.parse(json));
        all.needVersion("puna_chat", VERSION);
        Fields model = all.fields("model");
        List<Message> messages =
                all.list("messages").stream().map(ChatJson::message).toList();
        int forgotten = all.integer("forgotten");
        if (forgotten < 0 || forgotten > messages.size()) {
            throw all.wrong("forgotten", "is no number of its messages");
        }
        return new Saved(
                all.text("library"),
                all.integer("arithmetic"),
                model.text("name"),
                model.hexadecimal("fingerprint"),
                all.text("template"),
                CacheType.valueOf(all.text("cache")),
                messages,
                Messages.copy(all.values("variables")),
                all.truth("context_shift"),
                forgotten,
                transcript(all.fields("transcript")));
    }

    private static Message message(Fields fields) {
        List<Content> content = fields.list("content").stream()
                .map(part -> Content.text(part.text("text")))
                .toList();
        return switch (fields.text("role")) {
            case "system" -> new Message.System(content);
            case "user" -> new Message.User(content);
            case "assistant" ->
                new Message.Assistant(
                        content,
                        reasoning(fields),
                        fields.list("calls").stream().map(ChatJson::call).toList());
            case "tool" -> new Message.ToolResult(content, fields.text("call"), fields.text("name"));
            default -> throw fields.wrong("role", "is none that is known");
        };
    }

    private static @Nullable String reasoning(Fields fields) {
        return fields.isNull("reasoning") ? null : fields.text("reasoning");
    }

    private static ToolCall call(Fields fields) {
        return new ToolCall(fields.text("id"), fields.text("name"), fields.values("arguments"));
    }

    /** Marks ascend, and the last one is at the end: what a transcript promises. */
    private static Transcript transcript(Fields fields) {
        String text = fields.text("text");
        int[] ids = fields.integers("ids");
        if (IntStream.of(ids).anyMatch(id -> id < 0)) {
            throw fields.wrong("ids", "holds a number that is no id");
        }
        List<Transcript.Mark> marks = new ArrayList<>();
        Transcript.Mark last = new Transcript.Mark(0, 0);
        int[] numbers = fields.integers("marks");
        for (int i = 0; i + 1 < numbers.length; i += 2) {
            Transcript.Mark mark = new Transcript.Mark(numbers[i], numbers[i + 1]);
            if (mark.characters() < last.characters() || mark.count() < last.count()) {
                throw fields.wrong("marks", "does not ascend");
            }
            marks.add(mark);
            last = mark;
        }
        if (numbers.length % 2 != 0 || last.characters() != text.length() || last.count() != ids.length) {
            throw fields.wrong("marks", "does not end where the text and the ids do");
        }
        return new Transcript(text, control(fields, text.length()), ids, List.copyOf(marks));
    }

    private static BitSet control(Fields fields, int length) {
        BitSet control = new BitSet();
        int[] edges = fields.integers("control");
        int before = 0;
        for (int edge : edges) {
            if (edge < before || edge > length) {
                throw fields.wrong("control", "holds a place that is none in the text");
            }
            before = edge;
        }
        for (int i = 0; i + 1 < edges.length; i += 2) {
            control.set(edges[i], edges[i + 1]);
        }
        return control;
    }
}
