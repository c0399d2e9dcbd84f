// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.Slot;
import dev.puna.internal.template.Rendered;
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
public final class ChatRequest extends Request<ChatRequest> {
    private final Context context;
    private final List<Message> messages;
    private List<ToolSpec> tools = List.of();
    private Map<String, ?> variables = Map.of();

    ChatRequest(Context context, List<? extends Message> messages) {
        super(context);
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("there are no messages; at least one is needed");
        }
        this.context = context;
        this.messages = List.copyOf(messages);
    }

    /**
     * Tells the model of tools, through its chat template.
     *
     * @param specs what there is
     * @return this
     */
    public ChatRequest tools(List<ToolSpec> specs) {
        tools = List.copyOf(specs);
        return this;
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
        return render().text();
    }

    /**
     * The ids that the model will read.
     *
     * @return the rendered text's ids: control tokens only where the template wrote them
     * @throws TemplateException if the template refuses the messages
     */
    public int[] tokens() {
        return context.format().encode(render().segments());
    }

    private Rendered render() {
        List<Map<String, Object>> specs =
                tools.stream().map(ToolSpec::asTemplateValue).toList();
        return context.format().render(Messages.asTemplateValues(messages), specs, variables);
    }

    @Override
    Work work() {
        return new Work(tokens(), Slot.once(), Books.NONE);
    }
}
