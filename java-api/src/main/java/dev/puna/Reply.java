// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.List;

/** What a generation gave, whole or partial. Immutable. */
public final class Reply {
    private final String text;
    private final int[] tokens;
    private final StopReason stopReason;
    private final long seed;
    private final Usage usage;
    private final Timings timings;
    private final List<TokenLogprob> logprobs;
    private final ReplayRecord record;

    Reply(
            String text,
            int[] tokens,
            StopReason stopReason,
            long seed,
            Usage usage,
            Timings timings,
            List<TokenLogprob> logprobs,
            ReplayRecord record) {
        this.text = text;
        this.tokens = tokens.clone();
        this.stopReason = stopReason;
        this.seed = seed;
        this.usage = usage;
        this.timings = timings;
        this.logprobs = List.copyOf(logprobs);
        this.record = record;
    }

    /** {@return the generated text, without a stop string} */
    public String text() {
        return text;
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
        return text;
    }
}
