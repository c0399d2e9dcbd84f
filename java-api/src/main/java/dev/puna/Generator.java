// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * What one can ask for: implemented by {@link Model}, with its default context, and by {@link Context}. Any thread.
 */
public sealed interface Generator permits Model, Context {
    /**
     * Continues a text; a text-to-text model answers it instead.
     *
     * @param text any text; control tokens in it stay plain text
     * @return a request, ended by a terminal such as {@link Prompt#text()}
     */
    Prompt prompt(String text);

    /**
     * Continues token ids.
     *
     * @param ids at least one, each at least 0 and less than the vocabulary's size; copied
     * @return a request
     */
    Prompt prompt(int[] ids);

    /**
     * Answers a conversation, and forgets it: what servers need. What the cache still holds of a common beginning is
     * reused only by {@link #newChat()}.
     *
     * @param messages the conversation so far
     * @return a request
     */
    ChatRequest chat(List<? extends Message> messages);

    /**
     * How probable the model finds a text.
     *
     * @param text at least one token, at most the context length; control tokens in it stay plain text
     * @return its score, computed at once
     */
    Score score(String text);

    /**
     * Makes vectors of texts: what is alike in meaning lies close.
     *
     * @param texts at least one token each; control tokens in them stay plain text
     * @return a request, ended by {@link Embedding#vectors()}
     */
    Embedding embed(List<String> texts);

    /**
     * Makes the vector of one text.
     *
     * @param text at least one token; control tokens in it stay plain text
     * @return a request, ended by {@link Embedding#vector()}
     */
    default Embedding embed(String text) {
        return embed(List.of(text));
    }

    /**
     * Ranks documents by what they have to do with a query: needs a reranker, a classifier of one label.
     *
     * @param query what is looked for
     * @param documents what is looked through
     * @return a request, ended by {@link Ranking#top(int)} or {@link Ranking#all()}
     */
    Ranking rerank(String query, List<String> documents);

    /**
     * Tells how a text belongs to each of the labels of a classifier.
     *
     * @param text any text
     * @return a request, ended by {@link Classification#scores()} or {@link Classification#label()}
     */
    Classification classify(String text);

    /**
     * Fills the masks of a text: needs a masked language model.
     *
     * @param text in which {@code [MASK]}, or as the model spells it, stands for what is wanted
     * @return a request, ended by {@link FillMask#top(int)}
     */
    FillMask fillMask(String text);

    /**
     * Translates a text: needs a text-to-text model. What tells the model its task is in its file, or T5's "translate
     * English to German: ".
     *
     * @param text any text; control tokens in it stay plain text
     * @param from its language
     * @param to the language wanted
     * @return a request, ended by a terminal such as {@link TextToText#text()}
     * @throws UnsupportedModelException if the model is none such: says what it is and can
     */
    TextToText translate(String text, Locale from, Locale to);

    /**
     * Sums a text up: needs a text-to-text model. What tells the model its task is in its file, or T5's "summarize: ".
     *
     * @param text any text; control tokens in it stay plain text
     * @return a request, ended by a terminal such as {@link TextToText#text()}
     * @throws UnsupportedModelException if the model is none such: says what it is and can
     */
    TextToText summarize(String text);

    /**
     * Begins a conversation that remembers.
     *
     * @return a new chat, to be closed
     */
    default Chat newChat() {
        return newChat(options -> {});
    }

    /**
     * Begins a conversation that remembers.
     *
     * @param options sets what is wanted
     * @return a new chat, to be closed
     */
    Chat newChat(Consumer<Chat.Options> options);

    /**
     * Goes on with a conversation that was saved.
     *
     * <pre>{@code
     * try (Chat chat = model.restoreChat(Path.of("fugue.chat"))) {
     *     System.out.println(chat.user("And a canon?").text());
     * }
     * }</pre>
     *
     * <p>It answers what the saved one would have answered, bit for bit. What its file holds of the cache is used where
     * there is room and the context's cache is of the same type; else it is computed again. Tools are code, and not
     * saved: give them again.
     *
     * @param file what {@link Chat#save(Path)} wrote
     * @return the chat, to be closed
     * @throws PunaException if there is no such file, if it is no saved chat or a damaged one, or of another model:
     *     says why
     * @throws ContextFullException if it has more tokens than this context's
     */
    Chat restoreChat(Path file);

    /**
     * Goes on with a conversation that was saved: as {@link #restoreChat(Path)}.
     *
     * @param saved what {@link Chat#save()} gave
     * @return the chat, to be closed
     */
    Chat restoreChat(byte[] saved);

    /**
     * What it is doing and has done; waits for nothing. Of a closed one: as it was at the end.
     *
     * @return a snapshot
     */
    Statistics statistics();

    /**
     * Lets somebody hear what it does from now on.
     *
     * @param observer told on a thread of its own, until the registration or this is closed
     * @return ends the observing
     */
    Observer.Registration observe(Observer observer);

    /**
     * Takes the time of what it computes from now on, op by op.
     *
     * @return tells where the time went; closed, it costs nothing any more
     * @throws BusyException if another profiler of it is open
     * @throws InsufficientMemoryException if there is no memory for it
     */
    Profiler profile();
}
