// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.time.Duration;

/** How long the parts of a generation took. Immutable. */
public final class Timings {
    private final Duration queued;
    private final Duration prompt;
    private final Duration generation;
    private final Usage usage;

    Timings(Duration queued, Duration prompt, Duration generation, Usage usage) {
        this.queued = queued;
        this.prompt = prompt;
        this.generation = generation;
        this.usage = usage;
    }

    /** {@return how long the request waited for a place in the batch} */
    public Duration queued() {
        return queued;
    }

    /** {@return from then to the first token} */
    public Duration prompt() {
        return prompt;
    }

    /** {@return from the first token to the last} */
    public Duration generation() {
        return generation;
    }

    /** {@return tokens of the prompt a second, those from the cache left out; 0 if there were none} */
    public double promptTokensPerSecond() {
        return rate(usage.promptTokens() - usage.cachedTokens(), prompt);
    }

    /** {@return generated tokens a second, the first one left out; 0 if there was only one} */
    public double tokensPerSecond() {
        return rate(usage.generatedTokens() - 1, generation);
    }

    private static double rate(int tokens, Duration time) {
        return tokens > 0 && !time.isZero() ? tokens * 1e9 / time.toNanos() : 0;
    }

    @Override
    public String toString() {
        return "queued " + queued.toMillis() + " ms, prompt " + prompt.toMillis() + " ms, generation "
                + generation.toMillis() + " ms";
    }
}
