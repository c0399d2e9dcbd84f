// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Chat;
import dev.puna.Message;
import dev.puna.Model;
import dev.puna.TextStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A chat with its settings, which can begin anew, and branch. One thread. */
final class Conversation implements AutoCloseable {
    private final Model model;
    private final SamplingOptions sampling;
    private final List<Chat> branches = new ArrayList<>(); // one at least
    private int branch;
    private final boolean shift;
    private int attempt;

    private final AdapterOptions.Loaded adapters;

    Conversation(
            Model model,
            @Nullable String system,
            SamplingOptions sampling,
            boolean shift,
            AdapterOptions.Loaded adapters) {
        this.model = model;
        this.sampling = sampling;
        this.shift = shift;
        this.adapters = adapters;
        this.branches.add(begin(system));
    }

    private Chat begin(@Nullable String system) {
        return adapters.apply(model.newChat(options -> {
            if (system != null && !system.isEmpty()) {
                options.system(system);
            }
            if (shift) {
                options.contextShift();
            }
        }));
    }

    private Chat chat() {
        return branches.get(branch);
    }

    Model model() {
        return model;
    }

    /** The answer to what the user says. */
    TextStream say(String text) {
        attempt = 0;
        return sampling.apply(chat().user(text), ChatCommand.ANSWER_TOKENS, attempt).stream();
    }

    /** Whether there is an answer that could be given again. */
    boolean hasAnswer() {
        return !messages().isEmpty() && messages().getLast() instanceof Message.Assistant;
    }

    List<Message> messages() {
        return chat().messages();
    }

    List<Message> messages(int of) {
        return branches.get(of - 1).messages();
    }

    /** Ids of what was read and said. */
    int[] tokens() {
        return chat().tokens();
    }

    /** Another answer to the same; with a seed of its own, even when one was set. */
    TextStream again() {
        attempt++;
        return sampling.apply(chat().again(), ChatCommand.ANSWER_TOKENS, attempt).stream();
    }

    /** Forgets all that was said in this branch. */
    void restart(@Nullable String system) {
        replace(begin(system));
    }

    private void replace(Chat chat) {
        chat().close();
        branches.set(branch, chat);
        attempt = 0;
    }

    void save(Path file) {
        chat().save(file);
    }

    /** Goes on with a saved conversation: in a branch of its own, unless nothing was said here yet. */
    void load(Path file) {
        Chat loaded = adapters.apply(model.restoreChat(file));
        if (messages().stream().anyMatch(Message.User.class::isInstance)) {
            add(loaded);
        } else {
            replace(loaded);
        }
    }

    /** Goes on in two ways from here; in the new one for now. */
    void fork() {
        add(chat().fork());
    }

    private void add(Chat chat) {
        branches.add(chat);
        go(branches.size());
    }

    /** The branch that is talked in, from 1. */
    int branch() {
        return branch + 1;
    }

    int branches() {
        return branches.size();
    }

    /** Talks in another branch. */
    void go(int to) {
        if (to < 1 || to > branches.size()) {
            throw new IllegalArgumentException("there is no branch " + to + "; there are " + branches.size());
        }
        branch = to - 1;
        attempt = 0;
    }

    @Override
    public void close() {
        branches.forEach(Chat::close);
    }
}
