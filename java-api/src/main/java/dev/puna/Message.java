// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A message of a conversation. A switch over the cases needs a {@code default}: later versions may add some. Immutable.
 *
 * <pre>{@code
 * List<Message> chat = List.of(Message.system("You are terse."), Message.user("What is a fugue?"));
 * }</pre>
 */
public sealed interface Message {
    /** {@return the parts of the message} */
    List<Content> content();

    /** {@return all its text, the parts joined} */
    default String text() {
        StringBuilder text = new StringBuilder();
        for (Content part : content()) {
            if (part instanceof Content.Text t) {
                text.append(t.text());
            }
        }
        return text.toString();
    }

    /**
     * What the model is told to be.
     *
     * @param content its parts
     */
    record System(List<Content> content) implements Message {
        /** Copies the list. */
        public System {
            content = List.copyOf(content);
        }
    }

    /**
     * What a user says.
     *
     * @param content its parts
     */
    record User(List<Content> content) implements Message {
        /** Copies the list. */
        public User {
            content = List.copyOf(content);
        }
    }

    /**
     * What the model answered.
     *
     * @param content its parts
     * @param reasoning what it thought before; null if nothing
     * @param toolCalls tools that it asked for
     */
    record Assistant(List<Content> content, @Nullable String reasoning, List<ToolCall> toolCalls) implements Message {
        /** Copies the lists. */
        public Assistant {
            content = List.copyOf(content);
            toolCalls = List.copyOf(toolCalls);
        }
    }

    /**
     * What a tool gave.
     *
     * @param content its parts
     * @param callId of the call that it answers; may be empty
     * @param name of the tool; may be empty
     */
    record ToolResult(List<Content> content, String callId, String name) implements Message {
        /** Copies the list. */
        public ToolResult {
            content = List.copyOf(content);
        }
    }

    /**
     * A system message.
     *
     * @param text what the model is told to be
     * @return the message
     */
    static Message system(String text) {
        return new System(List.of(Content.text(text)));
    }

    /**
     * A user's message.
     *
     * @param text what the user says
     * @return the message
     */
    static Message user(String text) {
        return new User(List.of(Content.text(text)));
    }

    /**
     * A model's message.
     *
     * @param text what it answered
     * @return the message
     */
    static Message assistant(String text) {
        return new Assistant(List.of(Content.text(text)), null, List.of());
    }

    /**
     * A tool's result.
     *
     * @param callId of the call that it answers; may be empty
     * @param name of the tool; may be empty
     * @param text what it gave
     * @return the message
     */
    static Message toolResult(String callId, String name, String text) {
        return new ToolResult(List.of(Content.text(text)), callId, name);
    }
}
