// SPDX-License-Identifier: Apache-2.0
package dev.puna.soak;

import dev.puna.Model;
import dev.puna.ReplayRecord;
import dev.puna.Reply;
import dev.puna.StopReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of all requests, and what was answered. A request is known by a key: equal keys must be answered equally,
 * and an answer that was cut short must be the beginning of the whole one. Any thread.
 */
final class Ledger {
    private static final int TOLD = 20; // of what is wrong

    private final Map<Outcome, Long> outcomes = new EnumMap<>(Outcome.class); // guarded by this, as all here
    private final Map<String, ReplayRecord> answers = new HashMap<>(); // the longest one of each key
    private final List<Long> firstTokens = new ArrayList<>(); // nanoseconds
    private final List<String> faults = new ArrayList<>();
    private long asked;
    private long faulty;

    synchronized void asked() {
        asked++;
    }

    synchronized void ended(Outcome outcome) {
        outcomes.merge(outcome, 1L, Long::sum);
    }

    /** With a reply, whole or cut short. */
    synchronized void ended(String key, Reply reply) {
        ended(
                switch (reply.stopReason()) {
                    case CANCELLED -> Outcome.CANCELLED;
                    case TIMEOUT -> Outcome.TIMED_OUT;
                    default -> Outcome.COMPLETED;
                });
        if (reply.usage().generatedTokens() > 0) {
            firstTokens.add(
                    reply.timings().queued().plus(reply.timings().prompt()).toNanos());
        }
        answered(key, reply);
    }

    /** What there is of an answer, beside how it ended. */
    synchronized void answered(String key, Reply reply) {
        ReplayRecord now = reply.record();
        ReplayRecord known = answers.get(key);
        if (known == null || (isCut(known) && (!isCut(now) || now.tokens().length > known.tokens().length))) {
            answers.put(key, now);
        }
        if (known != null && !agree(known, now)) {
            fault(key + ": " + known.stopReason() + " " + Arrays.toString(known.tokens()) + ", and then "
                    + now.stopReason() + " " + Arrays.toString(now.tokens()));
        }
    }

    private static boolean isCut(ReplayRecord record) {
        return record.stopReason() == StopReason.CANCELLED || record.stopReason() == StopReason.TIMEOUT;
    }

    private static boolean agree(ReplayRecord a, ReplayRecord b) {
        if (!Arrays.equals(a.promptTokens(), b.promptTokens())) {
            return false;
        }
        int[] one = a.tokens();
        int[] other = b.tokens();
        if (!isCut(a) && !isCut(b)) {
            return a.stopReason() == b.stopReason() && Arrays.equals(one, other);
        }
        int common = Math.min(one.length, other.length);
        boolean longer = (isCut(a) || one.length >= other.length) && (isCut(b) || other.length >= one.length);
        return longer && Arrays.equals(one, 0, common, other, 0, common);
    }

    synchronized void fault(String what) {
        faulty++;
        if (faults.size() < TOLD) {
            faults.add(what);
        }
    }

    /** Computes each distinct answer again: alone, on one thread, in other slices, in a context of its own. */
    int compareWithQuiet(Model model) {
        Map<String, ReplayRecord> all;
        synchronized (this) {
            all = Map.copyOf(answers);
        }
        all.forEach((key, record) -> {
            ReplayRecord.Result result = record.replay(model, o -> o.threads(1).stepTokens(48));
            if (!result.isEqual()) {
                fault(key + " is another answer in a quiet run: " + result);
            }
        });
        return all.size();
    }

    synchronized long requests() {
        return asked;
    }

    synchronized long count(Outcome outcome) {
        return outcomes.getOrDefault(outcome, 0L);
    }

    synchronized long lost() {
        return asked - outcomes.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Of times to the first token, in milliseconds; 0 where there was none. */
    synchronized double firstTokenMillis(double quantile) {
        if (firstTokens.isEmpty()) {
            return 0;
        }
        long[] sorted = firstTokens.stream().mapToLong(Long::longValue).sorted().toArray();
        return sorted[(int) Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] / 1e6;
    }

    synchronized List<String> faults() {
        List<String> told = new ArrayList<>(faults);
        if (faulty > told.size()) {
            told.add("and " + (faulty - told.size()) + " more");
        }
        return told;
    }
}
