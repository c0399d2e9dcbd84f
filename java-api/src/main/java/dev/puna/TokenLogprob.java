// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.List;

/**
 * A generated token with log-probabilities, of the model's own distribution: before penalties and temperature.
 * Immutable.
 */
public final class TokenLogprob {
    private final int id;
    private final float logprob;
    private final List<Candidate> top;

    TokenLogprob(int id, float logprob, List<Candidate> top) {
        this.id = id;
        this.logprob = logprob;
        this.top = List.copyOf(top);
    }

    /**
     * One of the most probable tokens.
     *
     * @param id its id
     * @param logprob natural logarithm of its probability
     */
    public record Candidate(int id, float logprob) {}

    /** {@return the token that was chosen} */
    public int id() {
        return id;
    }

    /** {@return the natural logarithm of its probability} */
    public float logprob() {
        return logprob;
    }

    /** {@return the most probable tokens at this place, best first, as many as were asked for} */
    public List<Candidate> top() {
        return top;
    }

    @Override
    public String toString() {
        return id + ":" + logprob;
    }
}
