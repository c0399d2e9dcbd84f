// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A request for an answer in a conversation, which may call tools.
 *
 * <pre>{@code
 * String answer = model.chat(messages).tools(new Weather()).text();
 * }</pre>
 *
 * <p>Methods with {@link Tool} are run by {@link #text()} and {@link #reply()}, on the thread that calls these: the
 * model is told what they gave and asked again, until it answers. The reply is the last answer's, its usage and
 * timings too; a {@link #timeout} and an interrupt end all of it. A {@link ToolSpec} is run by the caller: the reply
 * then has {@link Reply#toolCalls()} and {@link StopReason#TOOL_CALLS}, and so has one that calls tools of both kinds,
 * of which none was run.
 *
 * @param <T> the request's own type
 */
public abstract sealed class TalkingRequest<T extends TalkingRequest<T>> extends Request<T>
        permits ChatRequest, Chat.Turn {
    private Toolbox tools = Toolbox.EMPTY;
    private int rounds = ToolLoop.ROUNDS;
    private boolean failing;

    TalkingRequest(Context context) {
        super(context);
    }

    /**
     * Tells the model of tools, through its chat template; further calls add more.
     *
     * @param more objects with methods that have {@link Tool}, and {@link ToolSpec}s
     * @return this
     * @throws IllegalArgumentException if one is neither, a name comes twice, or a parameter's type is not supported
     */
    public T tools(Object... more) {
        tools = tools.plus(Arrays.asList(more));
        return me();
    }

    /**
     * Tells the model of tools that the caller runs; further calls add more.
     *
     * @param specs what there is
     * @return this
     * @throws IllegalArgumentException if a name comes twice
     */
    public T tools(List<ToolSpec> specs) {
        tools = tools.plus(specs);
        return me();
    }

    /**
     * Bounds how often the model may call tools before it answers.
     *
     * @param most answers that call tools, at least 1; 8 unless set. Beyond it the request ends with a {@link
     *     ToolException}
     * @return this
     */
    public T maxToolRounds(int most) {
        if (most < 1) {
            throw new IllegalArgumentException("maxToolRounds is " + most + "; it must be at least 1");
        }
        rounds = most;
        return me();
    }

    /**
     * Ends the request with a {@link ToolException} when a tool throws; otherwise the model is told.
     *
     * @return this
     */
    public T failOnToolError() {
        failing = true;
        return me();
    }

    /**
     * {@inheritDoc}
     *
     * @throws ToolException if tools don't lead to an answer
     * @throws UnsupportedModelException if tools were given and the model's chat template takes none
     */
    @Override
    public Reply reply() {
        Toolbox box = toolbox();
        if (!box.runs()) {
            return super.reply();
        }
        return new ToolLoop(box, rounds, failing).run(rounds(deadline(System.nanoTime())));
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if there are tools to run, which only {@link #text()} and {@link #reply()} do
     */
    @Override
    public TextStream stream() {
        refuseRunning();
        return super.stream();
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if there are tools to run, which only {@link #text()} and {@link #reply()} do
     */
    @Override
    public CompletableFuture<Reply> async() {
        refuseRunning();
        return super.async();
    }

    private void refuseRunning() {
        if (toolbox().runs()) {
            throw new IllegalStateException(
                    "methods with @Tool run on the thread that calls text() or reply(); pass a ToolSpec to run it"
                            + " yourself");
        }
    }

    /** All tools; refuses them where the model could not know of them. */
    final Toolbox toolbox() {
        Toolbox all = inherited().plus(tools);
        if (!all.isEmpty() && !context().format().mentions("tools")) {
            throw new UnsupportedModelException(
                    "the chat template of " + context().model() + " takes no tools");
        }
        if (all.runs() && !context().format().readsCalls()) {
            throw new UnsupportedModelException(
                    "the chat template of " + context().model()
                            + " has calls written in a form that is not known here; with a ToolSpec they are part of the"
                            + " answer");
        }
        return all;
    }

    /** Tools that came before the request. */
    Toolbox inherited() {
        return Toolbox.EMPTY;
    }

    /** The answers of a loop. */
    abstract ToolLoop.Rounds rounds(long deadline);

    @SuppressWarnings("unchecked")
    private T me() {
        return (T) this;
    }
}
