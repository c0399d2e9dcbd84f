// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeEvent;
import dev.puna.internal.engine.Generation;
import dev.puna.internal.engine.Outcome;
import dev.puna.internal.talk.Speech;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a generation once it has ended: a reply, made once, and an entry in the books. Holds no stream, so
 * that a chat that waits for the end does not keep a forgotten stream alive. Any thread.
 */
final class Settlement {
    private final Generation generation;
    private final Provenance provenance;
    private final Books books;
    private final Speech speech;
    private final int forgotten; // tokens left out of the prompt
    private @Nullable Reply reply; // guarded by this

    Settlement(Generation generation, Provenance provenance, Work work) {
        this.generation = generation;
        this.provenance = provenance;
        this.books = work.books();
        this.speech = work.speech();
        this.forgotten = work.forgotten();
    }

    boolean isDone() {
        return generation.isDone();
    }

    /** Makes the reply and enters it; the generation has ended. The books are told without a lock held. */
    Reply settle() {
        Reply made;
        try {
            made = reply();
        } catch (RuntimeException e) {
            books.failed();
            throw e;
        }
        books.settled(made);
        return made;
    }

    private synchronized Reply reply() {
        Reply made = reply;
        if (made == null) {
            made = of(generation.outcome());
            reply = made;
        }
        return made;
    }

    /** How the answer is taken apart. */
    Speech speech() {
        return speech;
    }

    private Reply of(Outcome o) {
        Reply.Said said = Saying.of(o.text(), o.marks(), speech);
        Usage usage = new Usage(
                o.promptTokens(),
                o.cachedTokens(),
                o.tokens().length,
                forgotten + o.droppedTokens(),
                o.draftedTokens(),
                o.acceptedTokens());
        Timings timings = new Timings(
                Duration.ofNanos(o.queuedNanos()),
                Duration.ofNanos(o.promptNanos()),
                Duration.ofNanos(o.generateNanos()),
                usage);
        StopReason stop = stopReason(o.stop(), o.timedOut());
        ReplayRecord record = provenance.record(generation, o.tokens(), stop);
        StopReason told = stop == StopReason.END && !said.toolCalls().isEmpty() ? StopReason.TOOL_CALLS : stop;
        return new Reply(said, o.tokens(), told, generation.settings().seed(), usage, timings, logprobs(o), record);
    }

    static StopReason stopReason(NativeEvent.Stop stop, boolean timedOut) {
        return switch (stop) {
            case END -> StopReason.END;
            case LENGTH -> StopReason.LENGTH;
            case CONTEXT -> StopReason.CONTEXT;
            case TEXT -> StopReason.STOP;
            case CANCELLED, FAILED -> timedOut ? StopReason.TIMEOUT : StopReason.CANCELLED;
        };
    }

    private static List<TokenLogprob> logprobs(Outcome o) {
        List<TokenLogprob> all = new ArrayList<>();
        for (NativeEvent.Token token : o.events()) {
            List<TokenLogprob.Candidate> top = new ArrayList<>();
            for (int i = 0; i < token.topIds().length; i++) {
                top.add(new TokenLogprob.Candidate(token.topIds()[i], token.topLogprobs()[i]));
            }
            all.add(new TokenLogprob(token.token(), token.logprob(), top));
        }
        return all;
    }
}
