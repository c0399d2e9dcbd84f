// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** How probable a model finds a text. Immutable. */
public final class Score {
    private final double logProbability;
    private final int tokens;

    Score(double logProbability, int tokens) {
        this.logProbability = logProbability;
        this.tokens = tokens;
    }

    /** {@return the sum of the natural logarithms of each token's probability after those before it; at most 0} */
    public double logProbability() {
        return logProbability;
    }

    /** {@return how many tokens were judged: all but the first, which has nothing before it} */
    public int tokens() {
        return tokens;
    }

    /** {@return e to the mean loss of a token: 1 for a text that is no surprise at all} */
    public double perplexity() {
        return tokens == 0 ? 1 : Math.exp(-logProbability / tokens);
    }

    @Override
    public String toString() {
        return logProbability + " over " + tokens + " tokens";
    }
}
