// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_engine_options;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * How an engine is set up.
 *
 * @param contextLength positions of one sequence; 0: what the model was trained for
 * @param maxSequences that compute at the same time; others wait
 * @param maxQueue that wait
 * @param threads 0: the processor's default
 * @param stepTokens prompt tokens computed in one step
 * @param cacheType of keys and values
 * @param cacheBytes keys and values of all sequences together; 0: as puna.h says
 * @param speculation who guesses tokens ahead
 * @param draftTokens guessed in one step, for all sequences together; 0: as puna.h says
 * @param draft the model that guesses, for {@link Speculation#DRAFT}; else null
 */
public record NativeEngineOptions(
        int contextLength,
        int maxSequences,
        int maxQueue,
        int threads,
        int stepTokens,
        CacheType cacheType,
        long cacheBytes,
        Speculation speculation,
        int draftTokens,
        @Nullable NativeModel draft) {
    /** Who guesses tokens ahead; nothing but speed depends on it. */
    public enum Speculation {
        /** Nobody. */
        OFF,
        /** What came after the last place in a sequence's tokens that ended alike. */
        LOOKUP,
        /** A smaller model of the same vocabulary, where lookup finds nothing. */
        DRAFT;

        private static Speculation of(int constant) {
            for (Speculation one : values()) {
                if (one.constant() == constant) {
                    return one;
                }
            }
            throw new IllegalStateException("the core's speculation " + constant + " is unknown");
        }

        private int constant() {
            return switch (this) {
                case OFF -> PunaH.PUNA_SPECULATE_OFF();
                case LOOKUP -> PunaH.PUNA_SPECULATE_LOOKUP();
                case DRAFT -> PunaH.PUNA_SPECULATE_DRAFT();
            };
        }
    }

    /** How keys and values are stored. */
    public enum CacheType {
        /** Half precision. */
        F16,
        /** Single precision. */
        F32,
        /** Eight bits a number, and a scale for each 32 of a head. */
        Q8_0;

        private static CacheType of(int constant) {
            for (CacheType type : values()) {
                if (type.constant() == constant) {
                    return type;
                }
            }
            throw new IllegalStateException("the core's cache type " + constant + " is unknown");
        }

        private int constant() {
            return switch (this) {
                case F16 -> PunaH.PUNA_CACHE_F16();
                case F32 -> PunaH.PUNA_CACHE_F32();
                case Q8_0 -> PunaH.PUNA_CACHE_Q8_0();
            };
        }
    }

    /**
     * What the core takes by itself, but for some components.
     *
     * <pre>{@code
     * NativeEngineOptions two = NativeEngineOptions.of(c -> c.threads = 2);
     * }</pre>
     *
     * @param set sets those
     * @return new ones
     */
    public static NativeEngineOptions of(Consumer<Components> set) {
        Components c = new Components();
        set.accept(c);
        return new NativeEngineOptions(
                c.contextLength,
                c.maxSequences,
                c.maxQueue,
                c.threads,
                c.stepTokens,
                c.cacheType,
                c.cacheBytes,
                c.speculation,
                c.draftTokens,
                c.draft);
    }

    /** What options have, to be set; without a word: as the core takes it. */
    public static final class Components {
        public int contextLength;
        public int maxSequences;
        public int maxQueue;
        public int threads;
        public int stepTokens;
        public CacheType cacheType;
        public long cacheBytes;
        public Speculation speculation;
        public int draftTokens;
        public @Nullable NativeModel draft;

        private Components() {
            try (Call call = new Call()) {
                MemorySegment options = call.struct(puna_engine_options.layout());
                PunaH.puna_engine_options_default(options);
                contextLength = puna_engine_options.context_length(options);
                maxSequences = puna_engine_options.max_sequences(options);
                maxQueue = puna_engine_options.max_queue(options);
                threads = puna_engine_options.threads(options);
                stepTokens = puna_engine_options.step_tokens(options);
                cacheType = CacheType.of(puna_engine_options.cache_type(options));
                cacheBytes = puna_engine_options.cache_bytes(options);
                speculation = Speculation.of(puna_engine_options.speculation(options));
                draftTokens = puna_engine_options.draft_tokens(options);
            }
        }
    }

    /** What a call of the core says, with the draft model held open meanwhile. */
    int with(Call call, ToIntFunction<MemorySegment> body) {
        MemorySegment options = in(call);
        NativeModel guesser = draft;
        if (guesser == null) {
            return body.applyAsInt(options);
        }
        try (Handle.Use use = guesser.use()) {
            puna_engine_options.draft(options, use.address());
            return body.applyAsInt(options);
        }
    }

    private MemorySegment in(Call call) {
        MemorySegment options = call.struct(puna_engine_options.layout());
        PunaH.puna_engine_options_default(options);
        puna_engine_options.context_length(options, contextLength);
        puna_engine_options.max_sequences(options, maxSequences);
        puna_engine_options.max_queue(options, maxQueue);
        puna_engine_options.threads(options, threads);
        puna_engine_options.step_tokens(options, stepTokens);
        puna_engine_options.cache_type(options, cacheType.constant());
        puna_engine_options.cache_bytes(options, cacheBytes);
        puna_engine_options.speculation(options, speculation.constant());
        puna_engine_options.draft_tokens(options, draftTokens);
        return options;
    }
}
