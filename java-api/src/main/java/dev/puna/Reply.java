// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.List;

/** What a generation gave, whole or partial. Immutable. */
public final class Reply {
    private final Said said;
    private final int[] tokens;
    private final StopReason stopReason;
    private final long seed;
    private final Usage usage;
    private final Timings timings;
    private final List<TokenLogprob> logprobs;
    private final ReplayRecord record;

    /**
     * What was said.
     *
     * @param raw all of it as it came, without control tokens
     * @param text the answer
     * @param reasoning before it, or empty
     * @param toolCalls that it ends with
     */
    record Said(String raw, String text, String reasoning, List<ToolCall> toolCalls) {}

    Reply(
            Said said,
            int[] tokens,
            StopReason stopReason,
            long seed,
            Usage usage,
            Timings timings,
            List<TokenLogprob> logprobs,
            ReplayRecord record) {
        this.said = said;
        this.tokens = tokens.clone();
        this.stopReason = stopReason;
        this.seed = seed;
        this.usage = usage;
        this.timings = timings;
        this.logprobs = List.copyOf(logprobs);
        this.record = record;
    }

    /** {@return the answer: without a stop string, without reasoning, without calls of tools} */
    public String text() {
        return said.text();
    }

    /** {@return what the model thought before its answer; empty if nothing, or if its template has no marks for it} */
    public String reasoning() {
        return said.reasoning();
    }

    /**
     * What tools the model wants called. A call that can't be read is part of the {@linkplain #text() answer}.
     *
     * @return in order; empty unless tools were offered
     */
    public List<ToolCall> toolCalls() {
        return said.toolCalls();
    }

    /** {@return this as a message, to be added to a conversation} */
    public Message.Assistant message() {
        return new Message.Assistant(
                List.of(Content.text(text())), reasoning().isEmpty() ? null : reasoning(), toolCalls());
    }

    /** All that was said, as it came. */
    String raw() {
        return said.raw();
    }

    /** {@return the generated token ids, an ending token included: a copy} */
    public int[] tokens() {
        return tokens.clone();
    }

    /** {@return why it ended} */
    public StopReason stopReason() {
        return stopReason;
    }

    /** {@return the seed that was used, also when none was set: with it, the same request gives the same tokens} */
    public long seed() {
        return seed;
    }

    /** {@return tokens of the prompt and of the answer} */
    public Usage usage() {
        return usage;
    }

    /** {@return how long it took} */
    public Timings timings() {
        return timings;
    }

    /** {@return a log-probability for each generated token, if they were asked for; else empty} */
    public List<TokenLogprob> logprobs() {
        return logprobs;
    }

    /**
     * All that this reply depended on, to repeat it elsewhere and see that it is equal: {@code puna replay}.
     *
     * @return the record
     */
    public ReplayRecord record() {
        return record;
    }

    /** {@return the text} */
    @Override
    public String toString() {
        return text();
    }
}
