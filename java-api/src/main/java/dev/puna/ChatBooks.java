// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.Slot;
import dev.puna.internal.template.Rendered;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The books of a chat: what was said, the ids that it came to, and the turn that is being answered. A failed turn
 * leaves them as they were.
 *
 * <p>Guarded by the chat, whose lock the caller holds; an answer, which comes by itself, takes it. An answer that is on
 * its way keeps the chat reachable, and so its place in the cache.
 */
final class ChatBooks {
    private final Chat chat;
    private final Context context;
    private final Slot slot;
    private final Map<String, ?> variables;
    private final boolean shifts;
    private final List<Message> messages = new ArrayList<>();
    private int forgotten; // messages behind the system's that the model is not told of any more
    private Transcript transcript;
    private @Nullable Answer pending; // the turn that is being answered
    private Chat.@Nullable Turn looping; // the turn that calls tools
    private boolean closed;

    ChatBooks(Chat chat, Context context, Slot slot, Map<String, ?> variables, boolean shifts, Said said) {
        this.chat = chat;
        this.context = context;
        this.slot = slot;
        this.variables = variables;
        this.shifts = shifts;
        this.messages.addAll(said.messages);
        this.transcript = said.transcript;
        this.forgotten = said.forgotten;
    }

    /**
     * What a chat was at a time.
     *
     * @param messages all that was said
     * @param transcript ids of it
     * @param forgotten messages that the model is not told of any more
     */
    record Said(List<Message> messages, Transcript transcript, int forgotten) {
        /** A chat's that begins with a system message, or none, and others. */
        static Said first(@Nullable String system, List<Message> messages) {
            List<Message> all = new ArrayList<>();
            if (system != null) {
                all.add(Message.system(system));
            }
            all.addAll(messages);
            return new Said(all, Transcript.EMPTY, 0);
        }
    }

    /** Variables of the chat template. */
    Map<String, ?> variables() {
        return variables;
    }

    /** Whether it forgets where its context is full. */
    boolean shifts() {
        return shifts;
    }

    List<Message> messages() {
        settleLast();
        return List.copyOf(messages);
    }

    /** What there is; refused while the chat is answering. */
    Said said() {
        refuseToMeddle(null);
        return new Said(List.copyOf(messages), transcript, forgotten);
    }

    /** The ids of what was said, as far as it begins with them now. */
    int[] tokens(Toolbox tools) {
        settleLast();
        if (messages.isEmpty() || transcript.ids().length == 0) {
            return new int[0];
        }
        Rendered rendered = new Remembering(context, variables, tools).render(messages, forgotten);
        return transcript.kept(rendered.segments()).ids().clone();
    }

    void rewindTurns(int turns) {
        refuseToMeddle(null);
        int left = turns;
        int end = messages.size();
        while (left > 0 && end > 0) {
            end--;
            if (messages.get(end) instanceof Message.User) {
                left--;
            }
        }
        if (turns < 1 || left > 0) {
            throw new IllegalArgumentException("turns is " + turns + "; it may be 1 to " + (turns - left));
        }
        messages.subList(end, messages.size()).clear();
        forgotten = 0; // there may be room for it again
    }

    /** Nothing begins any more. */
    void close() {
        closed = true;
    }

    /** A turn of several answers begins. */
    Said enter(Chat.Turn turn) {
        Said before = said();
        looping = turn;
        return before;
    }

    void restore(Said before) {
        messages.clear();
        messages.addAll(before.messages);
        transcript = before.transcript;
        forgotten = before.forgotten;
    }

    void leave() {
        looping = null;
    }

    /** What is asked next: more messages, or null for another answer to the same ones. */
    Work begin(@Nullable List<Message> more, Toolbox box, Chat.@Nullable Turn turn) {
        refuseToMeddle(turn);
        List<Message> asked = new ArrayList<>(messages);
        if (more != null) {
            asked.addAll(more);
        } else if (asked.isEmpty() || !(asked.getLast() instanceof Message.Assistant)) {
            throw new IllegalStateException("there is no answer to take back");
        } else {
            asked.removeLast();
        }
        Remembering known = new Remembering(context, variables, box);
        int left = shifts ? known.leaveOut(asked, forgotten, transcript) : 0;
        Rendered rendered = known.render(asked, left);
        Transcript prompt = transcript.next(rendered.segments(), context.format());
        int dropped = left == forgotten
                ? 0
                : transcript
                                .next(known.render(asked, forgotten).segments(), context.format())
                                .ids()
                                .length
                        - prompt.ids().length;
        Answer answer = new Answer(asked, prompt, left);
        pending = answer;
        return new Work(
                prompt.ids(),
                slot,
                answer,
                context.format().speech(rendered, box.schemas()),
                shifts ? known.frame(asked, left) : -1,
                Math.max(0, dropped));
    }

    /** The tokens of the last prompt that do not depend on what was said. */
    int frame(Toolbox box) {
        Answer answer = pending;
        List<Message> asked = answer == null ? messages : answer.asked;
        return new Remembering(context, variables, box).frame(asked, answer == null ? forgotten : answer.left);
    }

    /** Nobody but the turn that calls tools goes on between its answers. */
    private void refuseToMeddle(Chat.@Nullable Turn turn) {
        if (closed) {
            throw new ClosedException("the chat is closed");
        }
        settleLast();
        if (pending != null || looping != turn) {
            throw new IllegalStateException("the chat is still answering: read its answer or cancel it first");
        }
    }

    /** A turn that has ended, but whose reader never asked for the reply, is entered now. */
    private void settleLast() {
        Answer last = pending;
        Settlement settlement = last == null ? null : last.settlement;
        if (settlement == null || !settlement.isDone()) {
            return;
        }
        try {
            settlement.settle();
        } catch (RuntimeException failed) {
            pending = null; // a failed turn leaves the chat as it was; its reader gets the reason
        }
    }

    /** The answer of one turn, on its way. */
    private final class Answer implements Books {
        private final List<Message> asked;
        private final Transcript prompt;
        private final int left; // messages that were left out
        private @Nullable Settlement settlement; // guarded by the chat

        Answer(List<Message> asked, Transcript prompt, int left) {
            this.asked = asked;
            this.prompt = prompt;
            this.left = left;
        }

        @Override
        public void started(Settlement running) {
            synchronized (chat) {
                settlement = running;
            }
        }

        @Override
        public void settled(Reply reply) {
            synchronized (chat) {
                if (pending == this) {
                    pending = null;
                    messages.clear();
                    messages.addAll(asked);
                    messages.add(reply.message());
                    forgotten = left;
                    transcript = answered(prompt, reply);
                }
            }
        }

        @Override
        public void failed() {
            synchronized (chat) {
                if (pending == this) {
                    pending = null;
                }
            }
        }
    }

    /** Ids whose text is not the answer's alone (a stop string was cut off) are not kept. */
    private Transcript answered(Transcript prompt, Reply reply) {
        try {
            return withAnswer(prompt, reply);
        } catch (ClosedException e) {
            return prompt; // the model was closed after the answer came: nothing goes on from here
        }
    }

    private Transcript withAnswer(Transcript prompt, Reply reply) {
        int[] tokens = reply.tokens();
        int last = tokens.length - 1;
        String end = last < 0 ? "" : context.format().controlToken(tokens[last]);
        boolean whole = context.tokenizer().decode(tokens, true).equals(reply.raw() + end);
        return whole ? prompt.plus(reply.raw(), end, tokens) : prompt;
    }
}
