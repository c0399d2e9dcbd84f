// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeGeneration;
import dev.puna.internal.mapping.Mapping;
import dev.puna.internal.schema.RegexGrammar;
import dev.puna.internal.schema.SchemaGrammar;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A request for a generation: options, then one terminal. The generation starts at the terminal. A request serves one
 * thread and may be used for several terminals, each a generation of its own.
 *
 * @param <T> the request's own type
 */
public abstract sealed class Request<T extends Request<T>> permits Prompt, TextToText, TalkingRequest {
    private final Context context;
    private final RequestSettings settings = new RequestSettings();

    Request(Context context) {
        this.context = context;
    }

    /**
     * Bounds the answer.
     *
     * @param tokens at least 1
     * @return this
     */
    public T maxTokens(int tokens) {
        settings.maxTokens(tokens);
        return self();
    }

    /**
     * Says how tokens are chosen. Unless set: top-k 40, top-p 0.95, min-p 0.05, temperature 0.8.
     *
     * @param value the sampler
     * @return this
     */
    public T sampler(Sampler value) {
        settings.sampler(value);
        return self();
    }

    /**
     * Ends the generation where its text contains one of these; the stop itself is not part of the text.
     *
     * @param texts at most 64, none empty
     * @return this
     */
    public T stop(String... texts) {
        settings.stop(texts);
        return self();
    }

    /**
     * Bounds the time from the terminal on; what was generated until then is the answer, with {@link
     * StopReason#TIMEOUT}.
     *
     * @param value more than nothing
     * @return this
     */
    public T timeout(Duration value) {
        settings.timeout(value);
        return self();
    }

    /**
     * Searches for the most probable answer instead of choosing token by token: so many beginnings are followed at
     * once, each in a place of the batch ({@link ContextOptions#maxSequences}), and the best answer comes when the
     * search is over. It is the one that transformers' {@code generate(num_beams=…, length_penalty=…,
     * early_stopping=…)} gives.
     *
     * <pre>{@code
     * String german = t5.translate("The house is wonderful.", Locale.ENGLISH, Locale.GERMAN).beams(4).text();
     * }</pre>
     *
     * <p>Nothing is drawn: samplers with stages, biases, stop strings, grammars and hooks have no place there, and the
     * terminal refuses them. {@link #logprobs} tells the log-probability of each token of the answer that was found,
     * after those before it; their sum, divided by the tokens to the power of {@link #lengthPenalty}, is what the
     * search compares.
     *
     * @param count 1, which searches nothing, to 32
     * @return this
     */
    public T beams(int count) {
        settings.beams(count);
        return self();
    }

    /**
     * With {@link #beams}, how answers of different lengths compare: by the logarithm of their probability divided by
     * their tokens to this power. Unless set: 1. Above that longer answers are preferred, below it shorter ones.
     *
     * @param power -100 to 100
     * @return this
     */
    public T lengthPenalty(float power) {
        settings.lengthPenalty(power);
        return self();
    }

    /**
     * With {@link #beams}, when the search is over. Unless set: {@link EarlyStopping#NO}.
     *
     * @param when the rule
     * @return this
     */
    public T earlyStopping(EarlyStopping when) {
        settings.earlyStopping(when);
        return self();
    }

    /**
     * Asks for log-probabilities: of each chosen token and of the most probable ones.
     *
     * @param top how many of the most probable, 0 to 64
     * @return this
     */
    public T logprobs(int top) {
        settings.logprobs(top);
        return self();
    }

    /**
     * Goes on where the model would end its answer, until another bound is reached.
     *
     * @return this
     */
    public T ignoreEnd() {
        settings.ignoreEnd();
        return self();
    }

    /**
     * Guesses nothing ahead for this request, whatever {@link ContextOptions#speculation} says. The answer is the same
     * either way.
     *
     * @return this
     */
    public T withoutSpeculation() {
        settings.withoutSpeculation();
        return self();
    }

    /**
     * Uses an adapter as it was trained; further calls add more.
     *
     * @param adapter of the request's model
     * @return this
     * @see #adapter(Adapter, float)
     */
    public T adapter(Adapter adapter) {
        return adapter(adapter, 1);
    }

    /**
     * Uses an adapter; further calls add more, up to 16, which join in their order. A prompt's beginning is found in
     * the cache where it was computed with the same adapters, weights and order.
     *
     * @param adapter of the request's model
     * @param weight how much it counts: 1 as it was trained, 0 not at all
     * @return this
     * @throws IllegalArgumentException if it is another model's, the weight is not finite, or there are too many
     */
    public T adapter(Adapter adapter, float weight) {
        settings.adapter(adapter.use(context.model(), weight));
        return self();
    }

    /** Those that all requests of this kind use: a chat's. */
    List<NativeAdapter.Use> inheritedAdapters() {
        return List.of();
    }

    /** All that this one uses. */
    final List<NativeAdapter.Use> adapters() {
        return settings.adapters(inheritedAdapters());
    }

    /**
     * Makes the answer a JSON value of any kind. As all of {@code json}, {@link #regex} and {@link #grammar} (the last
     * one called counts), this chooses among the tokens that may come; the model is not told, so the prompt should say
     * what is wanted. An answer that ends by {@link StopReason#END} is whole; one that reached {@code maxTokens} may be
     * cut.
     *
     * @return this
     */
    public T json() {
        settings.grammar(SchemaGrammar.anything());
        return self();
    }

    /**
     * Makes the answer a JSON value that a schema allows.
     *
     * <pre>{@code
     * String city = model.prompt("A city as JSON: ").json("""
     *         {"type": "object", "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
     *          "required": ["name", "people"]}""").text();
     * }</pre>
     *
     * @param schema a JSON Schema's text; properties will come in its order
     * @return this
     * @throws IllegalArgumentException if it is not one, or uses a keyword that can't be enforced; the message says
     *     where
     */
    public T json(String schema) {
        settings.grammar(SchemaGrammar.of(schema));
        return self();
    }

    /**
     * Makes the answer a text that a regular expression matches from its beginning to its end.
     *
     * @param pattern characters, classes, groups, alternatives and counts as in {@link java.util.regex.Pattern};
     *     nothing that looks around or refers back
     * @return this
     * @throws IllegalArgumentException if it is not one, or uses something else; the message says where
     */
    public T regex(String pattern) {
        settings.grammar(RegexGrammar.of(pattern));
        return self();
    }

    /**
     * Makes the answer a text that a grammar allows. What is wrong with it is found at the terminal.
     *
     * <pre>{@code
     * String answer = model.prompt("Is the sky blue?").grammar("root ::= \"yes\" | \"no\"").text();
     * }</pre>
     *
     * @param gbnf the grammar, in the notation of llama.cpp; matching begins at its rule {@code root}
     * @return this
     */
    public T grammar(String gbnf) {
        settings.grammar(Objects.requireNonNull(gbnf, "gbnf"));
        return self();
    }

    /**
     * Lets somebody see, and change, the model's logits at each step, before anything else regards them.
     *
     * <pre>{@code
     * int comma = model.tokenizer().encode(",")[0];
     * String text = model.prompt("Once upon a time").logits(l -> l.set(comma, Float.NEGATIVE_INFINITY)).text();
     * }</pre>
     *
     * <p>Biases, the grammar and the sampler come afterwards, and so do the log-probabilities of {@link #logprobs}. The
     * hook runs on the thread that waits: that calls {@link #text()} or {@link #reply()} or reads the stream; for
     * {@link #async()} on a virtual thread of its own. The request waits for it, others don't: a hook that takes longer
     * than 100 ms gives up its place in the batch meanwhile. What it throws ends the request, and is thrown there. A
     * {@link #timeout} does not interrupt it.
     *
     * @param value called for each token; deterministic, if answers are to be. A {@link ReplayRecord} can't hold it
     * @return this
     */
    public T logits(Consumer<? super Logits> value) {
        settings.logits(value);
        return self();
    }

    /**
     * As {@link #contextShift(int)}, keeping what stands in front of the first thing that a user says, such as a system
     * message and tools; of a plain prompt, the first token, since many models were trained with a mark there.
     *
     * @return this
     */
    public T contextShift() {
        settings.keepFrame();
        return self();
    }

    /**
     * Goes on where the context is full, where the answer would end with {@link StopReason#CONTEXT} otherwise: the
     * older half of the tokens behind the first ones is forgotten, and those that stay are read again at their new
     * places. {@link Usage#droppedTokens()} tells how many went.
     *
     * <p>It is off unless asked for, since it changes what is generated: the model no longer knows what was dropped,
     * cut anywhere within a word or a turn, and the answer may lose its thread. Reading again takes the time of a
     * prompt of half a context. Tokens still don't depend on anything else that runs, but they depend on the context's
     * length: the promise of equal tokens holds among contexts of equal length. A prompt must still fit; a chat can
     * forget turns instead: {@link Chat.Options#contextShift()}.
     *
     * @param keeping tokens at the front of the prompt that are never dropped, at least 0
     * @return this
     */
    public T contextShift(int keeping) {
        settings.keep(keeping);
        return self();
    }

    /**
     * Generates, and waits for the whole text.
     *
     * @return the text
     * @throws GenerationInterruptedException if the thread is interrupted; the generation is cancelled
     */
    public String text() {
        return reply().text();
    }

    /**
     * Generates, and waits for the end.
     *
     * @return text, tokens and figures
     * @throws GenerationInterruptedException if the thread is interrupted; the generation is cancelled
     */
    public Reply reply() {
        try (TextStream stream = stream()) {
            return stream.reply();
        }
    }

    /**
     * Generates, and hands out the text as it comes.
     *
     * @return the running generation, to be closed
     */
    public TextStream stream() {
        return stream(deadline(System.nanoTime()));
    }

    /** The context that generates. */
    final Context context() {
        return context;
    }

    /** One generation. */
    final TextStream stream(long deadline) {
        return stream(work(), deadline);
    }

    /** One generation, waited for. */
    final Reply reply(Work work, long deadline) {
        try (TextStream stream = stream(work, deadline)) {
            return stream.reply();
        }
    }

    private TextStream stream(Work work, long deadline) {
        try {
            int kept = settings.kept(this::frame, work.keep());
            NativeGeneration told = settings.generation(context.model(), kept, adapters());
            return work.start(context, told, deadline, settings.look());
        } catch (RuntimeException e) {
            work.books().failed();
            throw e;
        }
    }

    /** Tokens at the front that a full context keeps unless the caller says how many. */
    int frame() {
        return 1;
    }

    /** By System.nanoTime, of something that begins now. */
    final long deadline(long begun) {
        return settings.deadline(begun);
    }

    /**
     * Generates a value of a type: a record, an enum, a number, a text. Unless {@link #json(String)}, {@link #regex} or
     * {@link #grammar} said what the answer must be, it is held to the type's JSON schema, so that whatever the model
     * says can be read. The model is not told: the prompt should say what is wanted.
     *
     * <pre>{@code
     * record City(String name, @Description("inhabitants, in millions") double size) {}
     *
     * City city = chat.user("Name a large city. Answer as JSON.").as(City.class);
     * }</pre>
     *
     * @param <V> the type
     * @param type a record, an enum, a sealed interface of records, or a class such as String, Integer, LocalDate
     * @return the value
     * @throws IllegalArgumentException if the type, or a part of it, has no form
     * @throws IncompleteAnswerException if the answer ended before it was whole; what there is comes with it
     * @throws GenerationInterruptedException if the thread is interrupted; the generation is cancelled
     */
    @SuppressWarnings("unchecked")
    public <V> V as(Class<V> type) {
        return (V) value(type);
    }

    /**
     * Generates a value of a generic type.
     *
     * <pre>{@code
     * List<City> cities = chat.user("Three large cities, as JSON.").as(new TypeRef<List<City>>() {});
     * }</pre>
     *
     * @param <V> the type
     * @param type such as a list or a map of records
     * @return the value
     * @throws IllegalArgumentException if the type, or a part of it, has no form
     * @throws IncompleteAnswerException if the answer ended before it was whole; what there is comes with it
     */
    @SuppressWarnings("unchecked")
    public <V> V as(TypeRef<V> type) {
        return (V) value(type.type());
    }

    private Object value(Type type) {
        Mapping mapping = Mapping.of(type);
        String asked = settings.grammar();
        Reply reply;
        try {
            if (asked == null) {
                settings.grammar(SchemaGrammar.ofType(mapping.form()));
            }
            reply = reply();
        } finally {
            settings.grammar(asked);
        }
        if (reply.stopReason() != StopReason.END) {
            throw new IncompleteAnswerException(reply);
        }
        try {
            return mapping.readText(reply.text());
        } catch (IllegalArgumentException e) {
            throw new PunaException("the answer is no " + type.getTypeName() + ": " + e.getMessage(), e);
        }
    }

    /**
     * Generates, and lets the caller go on.
     *
     * @return completes with the reply on a thread of its own; {@code cancel(true)} stops the generation
     */
    public CompletableFuture<Reply> async() {
        return new ReplyFuture(stream());
    }

    /** What is to be computed, and where. */
    abstract Work work();

    @SuppressWarnings("unchecked")
    private T self() {
        return (T) this;
    }
}
