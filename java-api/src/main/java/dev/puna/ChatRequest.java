// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.Slot;
import dev.puna.internal.talk.Speech;
import dev.puna.internal.template.Rendered;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A request to answer a conversation, which is forgotten afterwards.
 *
 * <pre>{@code
 * Reply reply = model.chat(List.of(Message.user("What is a fugue?"))).maxTokens(200).reply();
 * }</pre>
 *
 * One thread.
 */
public final class ChatRequest extends TalkingRequest<ChatRequest> {
    private final List<Message> messages;
    private Map<String, ?> variables = Map.of();

    ChatRequest(Context context, List<? extends Message> messages) {
        super(context);
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("there are no messages; at least one is needed");
        }
        this.messages = List.copyOf(messages);
    }

    /**
     * Sets variables of the chat template, such as {@code enable_thinking}.
     *
     * @param values by name: texts, numbers, booleans, lists and maps of these
     * @return this
     */
    public ChatRequest templateVariables(Map<String, ?> values) {
        variables = Messages.copy(values);
        return this;
    }

    /**
     * The conversation as the model will read it.
     *
     * @return the rendered text, ready for the answer
     * @throws TemplateException if the template refuses the messages
     */
    public String rendered() {
        return render(messages).text();
    }

    /**
     * The ids that the model will read.
     *
     * @return the rendered text's ids: control tokens only where the template wrote them
     * @throws TemplateException if the template refuses the messages
     */
    public int[] tokens() {
        return context().format().encode(render(messages).segments());
    }

    private Rendered render(List<Message> said) {
        return context()
                .format()
                .render(Messages.asTemplateValues(said), toolbox().templateValues(), variables);
    }

    @Override
    Work work() {
        return work(messages);
    }

    @Override
    int frame() {
        return new Remembering(context(), variables, toolbox()).frame(messages, 0);
    }

    private Work work(List<Message> said) {
        Rendered rendered = render(said);
        int[] ids = context().format().encode(rendered.segments());
        Speech speech = context().format().speech(rendered, toolbox().schemas());
        return new Work(ids, Slot.once(), Books.NONE, speech);
    }

    @Override
    ToolLoop.Rounds rounds(long deadline) {
        List<Message> said = new ArrayList<>(messages);
        return results -> {
            said.addAll(results);
            Reply reply = reply(work(said), deadline);
            said.add(reply.message());
            return reply;
        };
    }
}
