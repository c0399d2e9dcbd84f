// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.time.Duration;
import java.util.Optional;

/**
 * Hears what a context does, step by step: for metrics and logs.
 *
 * <pre>{@code
 * try (Observer.Registration watch = context.observe(new Observer() {
 *     public void ended(Observer.End end) {
 *         System.out.println(end.timings());
 *     }
 * })) {
 *     context.prompt("Once upon a time").maxTokens(32).text();
 * }
 * }</pre>
 *
 * Both methods are called on a virtual thread of the registration's own, one call at a time, in order, and a little
 * later than what they tell: an observer may take its time and cannot hold up the engine. One that stays far behind
 * misses calls, which {@link Registration#missed()} counts. What it throws is logged. An observer is held until its
 * registration or the context is closed, so it should not refer to the context.
 */
public interface Observer {
    /**
     * A round was computed.
     *
     * @param step what it did
     */
    default void stepped(Step step) {}

    /**
     * A generation ended, in whatever way. Those that end because the context is closed are not told.
     *
     * @param end how
     */
    default void ended(End end) {}

    /** One round of an engine. Immutable. */
    final class Step {
        private final int sequences;
        private final int promptTokens;
        private final int generatedTokens;
        private final int active;
        private final Duration duration;

        Step(int sequences, int promptTokens, int generatedTokens, int active, Duration duration) {
            this.sequences = sequences;
            this.promptTokens = promptTokens;
            this.generatedTokens = generatedTokens;
            this.active = active;
            this.duration = duration;
        }

        /** {@return sequences that took part, each of a search's beams among them: the size of the batch} */
        public int sequences() {
            return sequences;
        }

        /** {@return tokens of prompts that were computed} */
        public int promptTokens() {
            return promptTokens;
        }

        /** {@return tokens generated} */
        public int generatedTokens() {
            return generatedTokens;
        }

        /** {@return requests that had work left, running or waiting; a search counts once} */
        public int active() {
            return active;
        }

        /**
         * How long it took; where it followed another step at once, with all that passed since that one's end.
         *
         * @return a positive time
         */
        public Duration duration() {
            return duration;
        }
    }

    /** The end of a generation. Immutable. */
    final class End {
        private final Optional<StopReason> stopReason;
        private final Usage usage;
        private final Timings timings;

        End(Optional<StopReason> stopReason, Usage usage, Timings timings) {
            this.stopReason = stopReason;
            this.usage = usage;
            this.timings = timings;
        }

        /** {@return why it ended; empty if it failed} */
        public Optional<StopReason> stopReason() {
            return stopReason;
        }

        /** {@return tokens of the prompt and of the answer} */
        public Usage usage() {
            return usage;
        }

        /** {@return how long its parts took} */
        public Timings timings() {
            return timings;
        }

        /** {@return from the request to the first token; empty if none came} */
        public Optional<Duration> timeToFirstToken() {
            return usage.generatedTokens() > 0
                    ? Optional.of(timings.queued().plus(timings.prompt()))
                    : Optional.empty();
        }
    }

    /** An observer at its context. Any thread. */
    interface Registration extends AutoCloseable {
        /** {@return calls that the observer missed because it stayed too far behind} */
        long missed();

        /** Ends the observing; a call that runs is not waited for. Without effect the second time. */
        @Override
        void close();
    }
}
