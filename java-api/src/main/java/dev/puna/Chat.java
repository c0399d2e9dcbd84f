// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeLibrary;
import dev.puna.bindings.NativeState;
import dev.puna.internal.ChatFile;
import dev.puna.internal.Platform;
import dev.puna.internal.WholeFile;
import dev.puna.internal.engine.EngineThread;
import dev.puna.internal.engine.Slot;
import dev.puna.internal.template.Rendered;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
 * <p>A turn computes only what is new: ids that the cache holds are reused ({@link Usage#cachedTokens()} tells), and
 * generated ids are kept as they were. A failed turn leaves the chat as it was; a cancelled one keeps the partial
 * answer. Between turns a chat's place in the cache may be given to others; it is computed again when needed, to the
 * same bits.
 *
 * <p>One turn at a time, from any thread; a second one meanwhile is refused with {@link IllegalStateException}.
 */
public final class Chat implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Context context;
    private final Slot slot = Slot.kept();
    private final Cleaner.Cleanable release;
    private final Map<String, ?> variables;
    private final boolean shifts;
    private final List<Message> messages = new ArrayList<>(); // guarded by this, as all below
    private int forgotten; // messages behind the system's that the model is not told of any more
    private Transcript transcript = Transcript.EMPTY;
    private @Nullable Answer pending; // the turn that is being answered
    private Toolbox tools = Toolbox.EMPTY;
    private List<NativeAdapter.Use> adapters = List.of();
    private @Nullable Turn looping; // the turn that calls tools
    private boolean closed;

    Chat(Context context, Options options) {
        this.context = context;
        this.variables = options.variables;
        this.shifts = options.shifts;
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
        private boolean shifts;

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
            variables = Messages.copy(values);
            return this;
        }

        /**
         * Lets the chat go on where its context is full, by forgetting: it ends with {@link ContextFullException}
         * otherwise. Where a turn's prompt would leave less than a quarter of the context to the answer, the model is
         * no longer told of the oldest turns, so that half is free; the system message and the last turn stay. Where
         * an answer itself fills the context, it goes on as {@link Request#contextShift(int)} says, which also says
         * what that does to its quality and to the promise of equal tokens. {@link Chat#messages()} still has all that
         * was said; {@link Usage#droppedTokens()} tells what was dropped.
         *
         * @return this
         */
        public Options contextShift() {
            shifts = true;
            return this;
        }
    }

    /** One turn: what the user says, options, then a terminal. One thread. */
    public static final class Turn extends TalkingRequest<Turn> {
        private final Chat chat;
        private final @Nullable Message message;

        private Turn(Chat chat, @Nullable Message message) {
            super(chat.context);
            this.chat = chat;
            this.message = message;
        }

        @Override
        Toolbox inherited() {
            return chat.tools();
        }

        @Override
        List<NativeAdapter.Use> inheritedAdapters() {
            return chat.adapters();
        }

        @Override
        Work work() {
            return chat.begin(message == null ? null : List.of(message), toolbox(), null);
        }

        @Override
        int frame() {
            return chat.frame(toolbox());
        }

        /** A turn of several answers: as a single one, it leaves the chat as it was when it fails. */
        @Override
        public Reply reply() {
            if (!toolbox().runs()) {
                return super.reply();
            }
            Before before = chat.enter(this);
            try {
                return super.reply();
            } catch (GenerationInterruptedException e) {
                throw e; // what there is, is kept
            } catch (RuntimeException | Error e) {
                chat.restore(before);
                throw e;
            } finally {
                chat.leave();
            }
        }

        @Override
        ToolLoop.Rounds rounds(long deadline) {
            Toolbox box = toolbox();
            return results -> {
                List<Message> more = results.isEmpty() && message != null ? List.of(message) : results;
                boolean again = results.isEmpty() && message == null;
                return reply(chat.begin(again ? null : more, box, this), deadline);
            };
        }
    }

    /**
     * Gives the chat tools, for all turns to come; further calls add more.
     *
     * <pre>{@code
     * String answer = chat.tools(new Weather()).user("Rain in Seoul?").text();
     * }</pre>
     *
     * @param more objects with methods that have {@link Tool}, and {@link ToolSpec}s, which the caller runs
     * @return this
     * @throws IllegalArgumentException if one is neither, a name comes twice, or a parameter's type is not supported
     * @see TalkingRequest
     */
    public synchronized Chat tools(Object... more) {
        tools = tools.plus(Arrays.asList(more));
        return this;
    }

    /**
     * Uses an adapter for all turns to come, as it was trained; further calls add more.
     *
     * @param adapter of the chat's model
     * @return this
     * @see #adapter(Adapter, float)
     */
    public Chat adapter(Adapter adapter) {
        return adapter(adapter, 1);
    }

    /**
     * Uses an adapter for all turns to come; further calls add more, and so do those on a turn, for that one. With
     * other adapters than before, a turn computes again what was said. Adapters are not saved: give them again to a
     * restored chat, whose place in the cache counts if they are the same.
     *
     * @param adapter of the chat's model
     * @param weight how much it counts: 1 as it was trained
     * @return this
     * @throws IllegalArgumentException if it is another model's, the weight is not finite, or there are too many
     */
    public synchronized Chat adapter(Adapter adapter, float weight) {
        adapters = Adapter.with(adapters, adapter.use(context.model(), weight));
        return this;
    }

    private synchronized List<NativeAdapter.Use> adapters() {
        return adapters;
    }

    private synchronized Toolbox tools() {
        return tools;
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

    /**
     * Takes back the last turns: what the user said, and all that followed it.
     *
     * @param turns how many, at least 1
     * @throws IllegalArgumentException if there are fewer
     * @throws IllegalStateException if the chat is still answering
     */
    public synchronized void rewindTurns(int turns) {
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

    /**
     * Goes on in two ways from here: a chat of its own that has said all that this one has, with its tools and
     * adapters. What both have in common is held once in the cache.
     *
     * @return the new chat, to be closed
     * @throws IllegalStateException if the chat is still answering
     */
    public synchronized Chat fork() {
        refuseToMeddle(null);
        Options options = new Options();
        options.messages = List.copyOf(messages);
        options.variables = variables;
        options.shifts = shifts;
        Chat fork = new Chat(context, options);
        synchronized (fork) {
            fork.transcript = transcript;
            fork.tools = tools;
            fork.adapters = adapters;
            fork.forgotten = forgotten;
        }
        context.engine().fork(slot, fork.slot);
        return fork;
    }

    /**
     * The ids of what was read and said, control tokens and all: what of it the conversation as it is now begins with.
     *
     * @return a copy; empty before the first answer
     */
    public synchronized int[] tokens() {
        settleLast();
        if (messages.isEmpty() || transcript.ids().length == 0) {
            return new int[0];
        }
        Rendered rendered = new Remembering(context, variables, tools).render(messages, forgotten);
        return transcript.kept(rendered.segments()).ids().clone();
    }

    /**
     * Saves the conversation: its messages, the template's variables, its ids, and what the cache holds of them. It
     * goes on where {@link Generator#restoreChat(Path)} restores it, with the same model. A chat that has lost its
     * place in the cache is saved without, and its restored one computes it again.
     *
     * <p>Tools are code, and not saved: give them again. The file is as large as the chat's place in the cache: some
     * kilobytes a token, by the model and the {@link CacheType}.
     *
     * @param file appears when it is complete; replaced if it is there
     * @throws IllegalStateException if the chat is still answering
     * @throws ClosedException if the chat is closed
     * @throws UncheckedIOException if it can't be written; a file that was there is then as it was
     * @throws IllegalArgumentException if the template's variables or a call's arguments hold what is no JSON
     */
    public void save(Path file) {
        try (ChatFile saved = saved()) {
            WholeFile.write(file, saved::writeTo);
        } catch (IOException e) {
            throw new UncheckedIOException("the chat can't be written to " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Saves the conversation as {@link #save(Path)}, in memory.
     *
     * @return for {@link Generator#restoreChat(byte[])}
     * @throws IllegalStateException if the chat is still answering, or is more than an array holds
     * @throws ClosedException if the chat is closed
     */
    public byte[] save() {
        try (ChatFile saved = saved()) {
            if (saved.length() > Integer.MAX_VALUE - 8) {
                throw new IllegalStateException("the chat has " + saved.length()
                        + " bytes, which are more than an array holds: save it to a file");
            }
            ByteArrayOutputStream bytes = new ByteArrayOutputStream((int) saved.length());
            return Platform.files("save", () -> {
                saved.writeTo(Channels.newChannel(bytes));
                return bytes.toByteArray();
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e); // not from an array
        }
    }

    /** The books first, then the cache: what a turn adds meanwhile does no harm there, since ids say what is whose. */
    private ChatFile saved() {
        String json;
        synchronized (this) {
            refuseToMeddle(null);
            Provenance of = context.provenance();
            json = ChatJson.write(new ChatJson.Saved(
                    NativeLibrary.version(),
                    NativeLibrary.arithmeticVersion(),
                    of.model().name(),
                    of.model().fingerprint(),
                    context.format().fingerprint(),
                    of.cacheType(),
                    messages,
                    variables,
                    shifts,
                    forgotten,
                    transcript));
        }
        return new ChatFile(json, context.engine().save(slot));
    }

    /**
     * Goes on from what was saved, which fits the context's model.
     *
     * @param saved what stands in its text
     * @param state of its sequence; null if it is to be computed again
     * @throws NativeException if the state is none, or too long
     */
    static Chat restored(Context context, ChatJson.Saved saved, @Nullable NativeState state) {
        Options options = new Options();
        options.messages = saved.messages();
        options.variables = saved.variables();
        options.shifts = saved.contextShift();
        Chat chat = new Chat(context, options);
        synchronized (chat) {
            chat.transcript = saved.transcript();
            chat.forgotten = saved.forgotten();
        }
        try {
            if (state != null) {
                context.engine().restore(state, chat.slot);
            }
            return chat;
        } catch (RuntimeException | Error e) {
            chat.close();
            throw e;
        }
    }

    /** Ends a running turn and gives back the chat's place in the cache; without effect the second time. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        release.clean();
    }

    // The books

    /** What a chat was before a turn. */
    private record Before(List<Message> messages, Transcript transcript, int forgotten) {}

    private synchronized Before enter(Turn turn) {
        refuseToMeddle(null);
        looping = turn;
        return new Before(List.copyOf(messages), transcript, forgotten);
    }

    private synchronized void restore(Before before) {
        messages.clear();
        messages.addAll(before.messages);
        transcript = before.transcript;
        forgotten = before.forgotten;
    }

    private synchronized void leave() {
        looping = null;
    }

    /** What is asked next: more messages, or null for another answer to the same ones. */
    private synchronized Work begin(@Nullable List<Message> more, Toolbox box, @Nullable Turn turn) {
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
    private synchronized int frame(Toolbox box) {
        Answer answer = pending;
        List<Message> asked = answer == null ? messages : answer.asked;
        return new Remembering(context, variables, box).frame(asked, answer == null ? forgotten : answer.left);
    }

    /** Nobody but the turn that calls tools goes on between its answers. */
    private void refuseToMeddle(@Nullable Turn turn) {
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
            synchronized (Chat.this) {
                settlement = running;
            }
        }

        @Override
        public void settled(Reply reply) {
            synchronized (Chat.this) {
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
            synchronized (Chat.this) {
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
