// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeEngineOptions;
import java.util.Objects;

/** How a context is set up. Those that are not set are decided by the library. One thread. */
public final class ContextOptions {
    private int contextLength;
    private int maxSequences = 16;
    private int maxQueue = 1024;
    private int threads;
    private int stepTokens = 512;
    private CacheType cacheType = CacheType.F16;
    private long cacheBudget;
    private Speculation speculation = Speculation.off();

    ContextOptions() {}

    ContextOptions(ContextOptions other) {
        contextLength = other.contextLength;
        maxSequences = other.maxSequences;
        maxQueue = other.maxQueue;
        threads = other.threads;
        stepTokens = other.stepTokens;
        cacheType = other.cacheType;
        cacheBudget = other.cacheBudget;
        speculation = other.speculation;
    }

    /**
     * Positions of one sequence, prompt and answer together.
     *
     * @param positions at least 2; what the model was trained for unless set
     * @return this
     */
    public ContextOptions contextLength(int positions) {
        contextLength = range("contextLength", positions, 2, 1 << 30);
        return this;
    }

    /**
     * Sequences that compute at the same time; further ones wait.
     *
     * @param sequences 1 to 1024; 16 unless set
     * @return this
     */
    public ContextOptions maxSequences(int sequences) {
        maxSequences = range("maxSequences", sequences, 1, 1024);
        return this;
    }

    /**
     * Requests that may wait; one more is refused with {@link BusyException}.
     *
     * @param requests 0 to 1,000,000; 1024 unless set
     * @return this
     */
    public ContextOptions maxQueue(int requests) {
        maxQueue = range("maxQueue", requests, 0, 1_000_000);
        return this;
    }

    /**
     * Threads that compute.
     *
     * @param count 1 to 256; the physical cores that the process may use unless set
     * @return this
     */
    public ContextOptions threads(int count) {
        threads = range("threads", count, 1, 256);
        return this;
    }

    /**
     * Prompt tokens computed in one step: fewer let running answers flow more evenly, more read prompts faster. Results
     * do not depend on it.
     *
     * @param tokens 1 to 4096; 512 unless set
     * @return this
     */
    public ContextOptions stepTokens(int tokens) {
        stepTokens = range("stepTokens", tokens, 1, 4096);
        return this;
    }

    /**
     * How keys and values are stored.
     *
     * @param type half precision unless set
     * @return this
     */
    public ContextOptions cacheType(CacheType type) {
        cacheType = type;
        return this;
    }

    /**
     * Memory for keys and values of all sequences together, taken page by page.
     *
     * @param bytes at least what one sequence of full length needs
     * @return this
     */
    public ContextOptions cacheBudget(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("cacheBudget is " + bytes + "; it must be at least 1");
        }
        cacheBudget = bytes;
        return this;
    }

    /**
     * Whether tokens are guessed ahead and verified together. Answers are the same, only faster or slower.
     *
     * <pre>{@code
     * Context context = model.newContext(o -> o.speculation(Speculation.lookup()));
     * }</pre>
     *
     * @param value off unless set
     * @return this
     */
    public ContextOptions speculation(Speculation value) {
        speculation = Objects.requireNonNull(value, "value");
        return this;
    }

    private static int range(String name, int value, int low, int high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(name + " is " + value + "; it may be " + low + " to " + high);
        }
        return value;
    }

    CacheType cacheType() {
        return cacheType;
    }

    NativeEngineOptions toNative() {
        return NativeEngineOptions.of(c -> {
            c.contextLength = contextLength;
            c.maxSequences = maxSequences;
            c.maxQueue = maxQueue;
            c.threads = threads;
            c.stepTokens = stepTokens;
            c.cacheType = switch (cacheType) {
                case F16 -> NativeEngineOptions.CacheType.F16;
                case F32 -> NativeEngineOptions.CacheType.F32;
                case Q8_0 -> NativeEngineOptions.CacheType.Q8_0;
            };
            c.cacheBytes = cacheBudget;
            c.speculation = speculation.kind();
            c.draftTokens = speculation.tokens();
            c.draft = speculation.nativeModel();
        });
    }
}
