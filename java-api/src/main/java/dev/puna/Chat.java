// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.EngineThread;
import dev.puna.internal.engine.Slot;
import dev.puna.internal.template.Rendered;
import dev.puna.internal.template.Segment;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A conversation that remembers.
 *
 * <pre>{@code
 * try (Chat chat = model.newChat(options -> options.system("You are terse."))) {
 *     System.out.println(chat.user("What is a fugue?").text());
 *     System.out.println(chat.user("And a canon?").text());
 * }
 * }</pre>
 *
 * <p>A turn computes only what is new: ids that the cache holds are reused ({@link Usage#cachedTokens()} tells), and generated
 * ids are kept as they were. A failed turn leaves the chat as it was; a cancelled one keeps the partial answer. Between turns
 * a chat's place in the cache may be given to others; it is computed again when needed, to the same bits.
 *
 * <p>One turn at a time, from any thread; a second one meanwhile is refused with {@link IllegalStateException}.
 */
public final class Chat implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Context context;
    private final Slot slot = Slot.kept();
    private final Cleaner.Cleanable release;
    private final Map<String, ?> variables;
    private final List<Message> messages = new ArrayList<>(); // guarded by this, as all below
    private String said = ""; // what the ids below stand for, control tokens spelled out
    private int[] ids = {};
    private @Nullable TextStream running;
    private boolean beginning; // a turn is being prepared
    private boolean closed;

    Chat(Context context, Options options) {
        this.context = context;
        this.variables = options.variables;
        if (options.system != null) {
            messages.add(Message.system(options.system));
        }
        messages.addAll(options.messages);
        Slot kept = slot;
        EngineThread engine = context.engine();
        this.release = CLEANER.register(this, () -> engine.release(kept));
    }

    /** How a chat begins. */
    public static final class Options {
        private @Nullable String system;
        private List<Message> messages = List.of();
        private Map<String, ?> variables = Map.of();

        Options() {}

        /**
         * Tells the model what it is.
         *
         * @param text the system message
         * @return this
         */
        public Options system(String text) {
            system = text;
            return this;
        }

        /**
         * Begins with messages that were said before.
         *
         * @param before after the system message, in order
         * @return this
         */
        public Options messages(List<? extends Message> before) {
            messages = List.copyOf(before);
            return this;
        }

        /**
         * Sets variables of the chat template, such as {@code enable_thinking}.
         *
         * @param values by name: texts, numbers, booleans, lists and maps of these
         * @return this
         */
        public Options templateVariables(Map<String, ?> values) {
            variables = Map.copyOf(values);
            return this;
        }
    }

    /** One turn: what the user says, options, then a terminal. One thread. */
    public static final class Turn extends Request<Turn> {
        private final Chat chat;
        private final @Nullable Message message;

        private Turn(Chat chat, @Nullable Message message) {
            super(chat.context);
            this.chat = chat;
            this.message = message;
        }

        @Override
        Work work() {
            return chat.begin(message);
        }

        @Override
        public TextStream stream() {
            try {
                TextStream stream = super.stream();
                chat.began(stream);
                return stream;
            } catch (RuntimeException e) {
                chat.failedToBegin();
                throw e;
            }
        }
    }

    /**
     * Says something.
     *
     * @param text what the user says
     * @return a request for the answer; nothing is said before its terminal
     */
    public Turn user(String text) {
        return new Turn(this, Message.user(text));
    }

    /**
     * Adds a message of any kind and asks for the answer: a tool's result, for example.
     *
     * @param message the next one
     * @return a request for the answer
     */
    public Turn say(Message message) {
        return new Turn(this, message);
    }

    /**
     * Asks for another answer to what was said last: the last answer is taken back.
     *
     * @return a request for the answer
     * @throws IllegalStateException if there is no answer yet
     */
    public Turn again() {
        return new Turn(this, null);
    }

    /** {@return what was said until now: a copy} */
    public synchronized List<Message> messages() {
        settleLast();
        return List.copyOf(messages);
    }

    /** Ends a running turn and gives back the chat's place in the cache; without effect the second time. */
    @Override
    public void close() {
        TextStream last;
        synchronized (this) {
            closed = true;
            last = running;
        }
        if (last != null) {
            last.cancel();
        }
        release.clean();
    }

    // The books

    private synchronized Request.Work begin(@Nullable Message message) {
        if (closed) {
            throw new ClosedException("the chat is closed");
        }
        settleLast();
        if (beginning || running != null) {
            throw new IllegalStateException("the chat is still answering: read its answer or cancel it first");
        }
        List<Message> next = new ArrayList<>(messages);
        if (message != null) {
            next.add(message);
        } else if (next.isEmpty() || !(next.getLast() instanceof Message.Assistant)) {
            throw new IllegalStateException("there is no answer to take back");
        } else {
            next.removeLast();
        }
        Rendered rendered = context.format().render(Messages.asTemplateValues(next), List.of(), variables);
        int[] prompt = message == null ? context.format().encode(rendered.segments()) : continued(rendered);
        beginning = true;
        return new Request.Work(prompt, slot, reply -> settled(next, rendered.text(), prompt, reply));
    }

    /** The ids of a rendered conversation, those of its known beginning as they were. */
    private int[] continued(Rendered rendered) {
        if (ids.length == 0 || !rendered.text().startsWith(said)) {
            return context.format().encode(rendered.segments());
        }
        int[] rest = context.format().encode(after(rendered.segments(), said.length()));
        return IntStream.concat(IntStream.of(ids), IntStream.of(rest)).toArray();
    }

    private static List<Segment> after(List<Segment> segments, int characters) {
        List<Segment> rest = new ArrayList<>();
        int left = characters;
        for (Segment segment : segments) {
            int length = segment.text().length();
            if (left < length) {
                rest.add(left == 0 ? segment : new Segment(segment.text().substring(left), segment.trusted()));
            }
            left = Math.max(0, left - length);
        }
        return rest;
    }

    private synchronized void began(TextStream stream) {
        beginning = false;
        running = stream;
    }

    private synchronized void failedToBegin() {
        beginning = false;
    }

    /** A turn that has ended, but whose reader never asked for the reply, is entered now. */
    private void settleLast() {
        TextStream last = running;
        if (last == null || !last.isDone()) {
            return;
        }
        try {
            last.settle();
        } catch (RuntimeException failed) {
            running = null; // a failed turn leaves the chat as it was; its reader gets the reason
        }
    }

    private synchronized void settled(List<Message> asked, String prompt, int[] promptIds, Reply reply) {
        messages.clear();
        messages.addAll(asked);
        messages.add(Message.assistant(reply.text()));
        said = prompt + context.tokenizer().decode(reply.tokens(), true);
        ids = IntStream.concat(IntStream.of(promptIds), IntStream.of(reply.tokens())).toArray();
        running = null;
    }
}
