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
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.nio.channels.Channels;
import java.nio.file.Path;
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
    private final ChatBooks books; // guarded by this, as all below
    private Toolbox tools = Toolbox.EMPTY;
    private List<NativeAdapter.Use> adapters = List.of();

    Chat(Context context, Options options) {
        this(context, options.variables, options.shifts, ChatBooks.Said.first(options.system, options.messages));
    }

    private Chat(Context context, Map<String, ?> variables, boolean shifts, ChatBooks.Said said) {
        this.context = context;
        this.books = new ChatBooks(this, context, slot, variables, shifts, said);
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
            ChatBooks.Said before = chat.enter(this);
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
        return books.messages();
    }

    /**
     * Takes back the last turns: what the user said, and all that followed it.
     *
     * @param turns how many, at least 1
     * @throws IllegalArgumentException if there are fewer
     * @throws IllegalStateException if the chat is still answering
     */
    public synchronized void rewindTurns(int turns) {
        books.rewindTurns(turns);
    }

    /**
     * Goes on in two ways from here: a chat of its own that has said all that this one has, with its tools and
     * adapters. What both have in common is held once in the cache.
     *
     * @return the new chat, to be closed
     * @throws IllegalStateException if the chat is still answering
     */
    public synchronized Chat fork() {
        Chat fork = new Chat(context, books.variables(), books.shifts(), books.said());
        synchronized (fork) {
            fork.tools = tools;
            fork.adapters = adapters;
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
        return books.tokens(tools);
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
            ChatBooks.Said said = books.said();
            Provenance of = context.provenance();
            json = ChatJson.write(new ChatJson.Saved(
                    NativeLibrary.version(),
                    NativeLibrary.arithmeticVersion(),
                    of.model().name(),
                    of.model().fingerprint(),
                    context.format().fingerprint(),
                    of.cacheType(),
                    said.messages(),
                    books.variables(),
                    books.shifts(),
                    said.forgotten(),
                    said.transcript()));
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
        ChatBooks.Said said = new ChatBooks.Said(saved.messages(), saved.transcript(), saved.forgotten());
        Chat chat = new Chat(context, saved.variables(), saved.contextShift(), said);
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
            books.close();
        }
        release.clean();
    }

    // The turns

    private synchronized ChatBooks.Said enter(Turn turn) {
        return books.enter(turn);
    }

    private synchronized void restore(ChatBooks.Said before) {
        books.restore(before);
    }

    private synchronized void leave() {
        books.leave();
    }

    private synchronized Work begin(@Nullable List<Message> more, Toolbox box, @Nullable Turn turn) {
        return books.begin(more, box, turn);
    }

    private synchronized int frame(Toolbox box) {
        return books.frame(box);
    }
}
