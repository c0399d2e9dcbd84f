// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.Outcome;
import dev.puna.internal.talk.Call;
import dev.puna.internal.talk.Part;
import dev.puna.internal.talk.Speech;
import dev.puna.internal.talk.Splitter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A whole text, taken apart: to the same pieces as while it was streamed. */
final class Saying {
    private Saying() {}

    static Reply.Said of(String raw, List<Outcome.Mark> marks, Speech speech) {
        Splitter splitter = speech.splitter();
        Map<Channel, StringBuilder> texts = new EnumMap<>(Channel.class);
        int at = 0;
        for (Outcome.Mark mark : marks) {
            add(texts, splitter.text(raw.substring(at, mark.at())));
            add(texts, splitter.mark(mark.spelling()));
            at = mark.at();
        }
        add(texts, splitter.text(raw.substring(at)));
        add(texts, splitter.end());
        return new Reply.Said(
                raw, text(texts, Channel.ANSWER), text(texts, Channel.REASONING), calls(raw, splitter.calls()));
    }

    private static void add(Map<Channel, StringBuilder> texts, List<Part> parts) {
        for (Part part : parts) {
            texts.computeIfAbsent(part.channel(), channel -> new StringBuilder())
                    .append(part.text());
        }
    }

    private static String text(Map<Channel, StringBuilder> texts, Channel channel) {
        StringBuilder text = texts.get(channel);
        return text == null ? "" : text.toString();
    }

    /** Calls without an id get one of nine letters and digits, as some templates want; the same answer, the same id. */
    private static List<ToolCall> calls(String raw, List<Call> read) {
        List<ToolCall> calls = new ArrayList<>();
        for (Call call : read) {
            String id = call.id();
            if (id.isEmpty()) {
                id = String.format("%09x", Integer.toUnsignedLong((raw + "\0" + calls.size()).hashCode()));
            }
            calls.add(new ToolCall(id, call.name(), call.arguments()));
        }
        return List.copyOf(calls);
    }
}
