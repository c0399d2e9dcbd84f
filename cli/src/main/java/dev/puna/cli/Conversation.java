// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Chat;
import dev.puna.Message;
import dev.puna.Model;
import dev.puna.TextStream;
import org.jspecify.annotations.Nullable;

/** A chat with its settings, which can begin anew. One thread. */
final class Conversation implements AutoCloseable {
    private final Model model;
    private final SamplingOptions sampling;
    private final boolean shift;
    private Chat chat;
    private int attempt;

    Conversation(Model model, @Nullable String system, SamplingOptions sampling, boolean shift) {
        this.model = model;
        this.sampling = sampling;
        this.shift = shift;
        this.chat = begin(model, system, shift);
    }

    private static Chat begin(Model model, @Nullable String system, boolean shift) {
        return model.newChat(options -> {
            if (system != null && !system.isEmpty()) {
                options.system(system);
            }
            if (shift) {
                options.contextShift();
            }
        });
    }

    Model model() {
        return model;
    }

    /** The answer to what the user says. */
    TextStream say(String text) {
        attempt = 0;
        return sampling.apply(chat.user(text), ChatCommand.ANSWER_TOKENS, attempt).stream();
    }

    /** Whether there is an answer that could be given again. */
    boolean hasAnswer() {
        return !chat.messages().isEmpty() && chat.messages().getLast() instanceof Message.Assistant;
    }

    /** Another answer to the same; with a seed of its own, even when one was set. */
    TextStream again() {
        attempt++;
        return sampling.apply(chat.again(), ChatCommand.ANSWER_TOKENS, attempt).stream();
    }

    /** Forgets all that was said. */
    void restart(@Nullable String system) {
        chat.close();
        chat = begin(model, system, shift);
    }

    @Override
    public void close() {
        chat.close();
    }
}
