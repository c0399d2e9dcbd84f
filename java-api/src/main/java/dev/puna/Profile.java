// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeProfile;
import java.time.Duration;
import java.util.List;

/**
 * Where a context's time went while a {@link Profiler} was open. Immutable.
 *
 * <p>Threads compute a step in phases: what lies between two barriers, at which all wait for the last one. The phases'
 * times with their barriers add up to {@link #computing()}.
 */
public final class Profile {
    private final NativeProfile sums;
    private final List<Work> phases;
    private final List<Work> ops;

    Profile(NativeProfile sums) {
        this.sums = sums;
        this.phases =
                sums.rows().stream().filter(row -> !row.op()).map(Work::new).toList();
        this.ops = sums.rows().stream()
                .filter(NativeProfile.Row::op)
                .map(Work::new)
                .toList();
    }

    /** Which of a context's computations a row is of. */
    public enum Part {
        /** The model: what comes next, or all that an encoder computes. */
        MODEL,
        /** Vectors of texts that a decoder makes. */
        STATES,
        /** An encoder-decoder's reading of its source. */
        SOURCE,
        /** The draft model's guesses. */
        DRAFT
    }

    /** Phases that are alike, as those of a model's layers are; or an op. Immutable. */
    public static final class Work {
        private final NativeProfile.Row row;

        private Work(NativeProfile.Row row) {
            this.row = row;
        }

        /** {@return whose it is} */
        public Part part() {
            return switch (row.part()) {
                case MODEL -> Part.MODEL;
                case STATES -> Part.STATES;
                case SOURCE -> Part.SOURCE;
                case DRAFT -> Part.DRAFT;
            };
        }

        /**
         * {@return the ops, each by its name; of products also the width of what comes in and of what each gives:
         * {@code linear 2048>2048,256,256}}
         */
        public String name() {
            return row.name();
        }

        /** {@return how often it was computed: for each layer, in each batch} */
        public long calls() {
            return row.calls();
        }

        /** {@return threads that take part} */
        public int threads() {
            return row.threads();
        }

        /** {@return from the begin of its first piece to the end of its last, of all calls; of an op zero} */
        public Duration wall() {
            return Duration.ofNanos(row.wallNanos());
        }

        /** {@return time in which threads computed, of all threads together} */
        public Duration busy() {
            return Duration.ofNanos(row.busyNanos());
        }

        /** {@return from the end of the phase before to its begin, of all calls; of an op zero} */
        public Duration barrier() {
            return Duration.ofNanos(row.barrierNanos());
        }

        /** {@return time in which threads waited, at its barrier or for its end, of all together; of an op zero} */
        public Duration idle() {
            return Duration.ofNanos(row.idleNanos());
        }

        /** {@return which part of the threads' time they waited, 0 to 1; of an op 0} */
        public double idleShare() {
            double all = (double) row.idleNanos() + row.busyNanos();
            return all > 0 ? row.idleNanos() / all : 0;
        }

        /** {@return bytes of weights, or of keys and values, that it had to read; 0: not known} */
        public long bytes() {
            return row.bytes();
        }

        /** {@return multiply-adds of its products or its attention; 0: not known} */
        public long products() {
            return row.products();
        }

        @Override
        public String toString() {
            Duration time = wall().isZero() ? busy() : wall();
            return name() + ": " + calls() + " calls, " + time.toNanos() / 1000 + " us";
        }
    }

    /** {@return phases in the order in which they are computed, those that are alike as one; part by part} */
    public List<Work> phases() {
        return phases;
    }

    /**
     * {@return the ops, whatever phases they were part of: calls, and how long threads were busy with them. A phase
     * of products counts for the product as a whole}
     */
    public List<Work> ops() {
        return ops;
    }

    /** {@return threads that compute} */
    public int threads() {
        return sums.threads();
    }

    /** {@return how long it has been taken} */
    public Duration elapsed() {
        return Duration.ofNanos(sums.elapsedNanos());
    }

    /** {@return of that, within the engine; the rest is Java's, or nobody asked for anything} */
    public Duration engine() {
        return Duration.ofNanos(sums.engineNanos());
    }

    /** {@return of that, computing the model; the rest schedules, samples, and makes texts of tokens} */
    public Duration computing() {
        return Duration.ofNanos(sums.runNanos());
    }

    /** {@return batches that were computed, of all parts} */
    public long batches() {
        return sums.runs();
    }

    /** {@return rounds of the engine} */
    public long steps() {
        return sums.steps();
    }

    /** {@return tokens of prompts and of texts that were computed} */
    public long promptTokens() {
        return sums.promptTokens();
    }

    /** {@return tokens that were generated} */
    public long generatedTokens() {
        return sums.generatedTokens();
    }

    @Override
    public String toString() {
        return phases.size() + " phases, " + computing().toNanos() / 1000 + " us in " + batches() + " batches";
    }
}
