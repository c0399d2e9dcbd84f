// SPDX-License-Identifier: Apache-2.0
package dev.puna.soak;

import dev.puna.Context;
import dev.puna.Model;
import dev.puna.Statistics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Many virtual callers on one model for a while: prompts, streams, chats with forks and second thoughts; cancelled,
 * timed out, interrupted, forgotten and closed. The cache is far too small for all of them. Afterwards every request
 * has ended in a known way, every answer is what a quiet run gives, and all memory is back.
 *
 * <pre>ci/soak/check.sh [--seconds 60] [--callers 300] [--seed N] [--model FILE] [--json]</pre>
 */
public final class Soak {
    /** Of a context: the longest conversation fits. */
    static final int POSITIONS = 1536;

    private static final int SEQUENCES = 16;
    private static final int CONTEXTS = 3; // full ones that the cache holds
    private static final int QUEUE = 270;
    private static final long MOST_GROWTH = 96L << 20;
    private static final Duration PATIENCE = Duration.ofMinutes(5); // for those who still wait at the end

    private final Model model;
    private final int callers;
    private final Duration time;
    private final long seed;
    private final Ledger ledger = new Ledger();
    private final Map<String, Object> figures = new LinkedHashMap<>();

    Soak(Model model, int callers, Duration time, long seed) {
        this.model = model;
        this.callers = callers;
        this.time = time;
        this.seed = seed;
    }

    /**
     * Runs it; the process's status says how it went.
     *
     * @param arguments as above
     */
    public static void main(String[] arguments) {
        Map<String, String> given = new LinkedHashMap<>(
                Map.of("--seconds", "60", "--callers", "300", "--seed", "" + System.nanoTime() % 1_000_000));
        boolean json = false;
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].equals("--json")) {
                json = true;
            } else if (List.of("--seconds", "--callers", "--seed", "--model").contains(arguments[i])
                    && i + 1 < arguments.length) {
                given.put(arguments[i], arguments[++i]);
            } else {
                System.err.println("soak: " + arguments[i] + " means nothing here");
                System.exit(2);
            }
        }
        Duration time = Duration.ofSeconds(Long.parseLong(given.get("--seconds")));
        long seed = Long.parseLong(given.get("--seed"));
        try (Model model = Model.load(given.getOrDefault("--model", "smollm2"))) {
            Soak soak = new Soak(model, Integer.parseInt(given.get("--callers")), time, seed);
            List<String> wrong = soak.run();
            System.out.print(json ? soak.json() : soak.table());
            wrong.forEach(fault -> System.err.println("soak: " + fault));
            System.err.println(wrong.isEmpty() ? "soak: all is well" : "soak: FAILED; once more by --seed " + seed);
            if (!wrong.isEmpty()) {
                System.exit(1);
            }
        }
    }

    /** Returns what is wrong. */
    List<String> run() {
        List<String> wrong = new ArrayList<>();
        long weights = model.info().memoryBytes();
        long budget = pageBytes() * (POSITIONS / 64) * CONTEXTS;
        try (Context context = model.newContext(o -> o.maxSequences(SEQUENCES)
                .maxQueue(QUEUE)
                .contextLength(POSITIONS)
                .cacheBudget(budget))) {
            long base = context.statistics().memoryBytes();
            work(context, wrong);
            rest(context, base, wrong);
        }
        if (model.info().memoryBytes() != weights) {
            wrong.add("the model has " + model.info().memoryBytes() + " bytes, it began with " + weights);
        }
        long begun = System.nanoTime();
        figures.put("distinct requests", ledger.compareWithQuiet(model));
        figures.put("seconds of the quiet run", (System.nanoTime() - begun) / 1e9);
        wrong.addAll(ledger.faults());
        return wrong;
    }

    private long pageBytes() {
        try (Context context = model.newContext(o -> o.maxSequences(1).contextLength(POSITIONS))) {
            return context.statistics().pageBytes();
        }
    }

    private void work(Context context, List<String> wrong) {
        Random seeds = new Random(seed);
        long begun = System.nanoTime();
        List<Thread> threads = new ArrayList<>();
        try (Watch watch = new Watch(context, time.toNanos())) {
            for (int i = 0; i < callers; i++) {
                threads.add(Thread.startVirtualThread(
                        new Caller(model, context, ledger, seeds.nextLong(), begun + time.toNanos())));
            }
            long lost = threads.stream().filter(thread -> !ended(thread, begun)).count();
            double seconds = (System.nanoTime() - begun) / 1e9;
            if (lost > 0) {
                wrong.add(lost + " callers got no answer");
            }
            report(context.statistics(), watch, seconds);
            judge(watch, wrong);
        }
    }

    private boolean ended(Thread thread, long begun) {
        Duration left = time.plus(PATIENCE).minusNanos(System.nanoTime() - begun);
        try {
            return thread.join(left.isPositive() ? left : Duration.ofMillis(1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void report(Statistics done, Watch watch, double seconds) {
        figures.put("model", model.path().getFileName().toString());
        figures.put("callers", callers);
        figures.put("seed", seed);
        figures.put("seconds", seconds);
        figures.put("requests", ledger.requests());
        for (Outcome outcome : Outcome.values()) {
            figures.put(outcome.name().toLowerCase(Locale.ROOT).replace('_', ' '), ledger.count(outcome));
        }
        figures.put("tokens", done.generatedTokens());
        figures.put("tokens a second", done.generatedTokens() / seconds);
        figures.put("prompt tokens computed", done.promptTokens());
        figures.put("prompt tokens from the cache", done.cachedTokens());
        figures.put("milliseconds to the first token, p50", ledger.firstTokenMillis(.5));
        figures.put("milliseconds to the first token, p99", ledger.firstTokenMillis(.99));
        figures.put("pages of the cache", done.pagesTotal());
        figures.put("pages held at most", watch.peakPages());
        figures.put("evictions", done.evictions());
        figures.put("bytes accounted at most", watch.peakMemory());
        figures.put("resident bytes at most", watch.residentBytes());
        figures.put("resident bytes since warm", watch.growth());
    }

    private void judge(Watch watch, List<String> wrong) {
        if (ledger.lost() != 0) {
            wrong.add(ledger.lost() + " requests have no outcome");
        }
        for (Outcome outcome : Outcome.values()) { // a queue is long enough for few callers
            if (ledger.count(outcome) == 0 && outcome != Outcome.REFUSED && time.toSeconds() >= 30) {
                wrong.add("no request was " + outcome);
            }
        }
        if (watch.growth() > MOST_GROWTH) {
            wrong.add("the process grew by " + watch.growth() + " bytes after it was warm");
        }
    }

    /** Who forgot its stream is found out by the collector; then nothing is left. */
    private static void rest(Context context, long base, List<String> wrong) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (context.status().sequences() > 0 && System.nanoTime() - until < 0) {
            System.gc();
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        context.trim();
        Context.Status now = context.status();
        if (now.sequences() != 0 || now.pagesUsed() != 0) {
            wrong.add(now.sequences() + " sequences and " + now.pagesUsed() + " pages are left");
        }
        if (now.memoryBytes() != base) {
            wrong.add("the context has " + now.memoryBytes() + " bytes, it began with " + base);
        }
    }

    private static String shown(Object value) {
        return value instanceof Double number ? String.format(Locale.ROOT, "%.1f", number) : String.valueOf(value);
    }

    String table() {
        StringBuilder out = new StringBuilder();
        figures.forEach((name, value) -> out.append(String.format(Locale.ROOT, "%-38s %16s%n", name, shown(value))));
        return out.toString();
    }

    String json() {
        List<String> entries = new ArrayList<>();
        figures.forEach((name, value) ->
                entries.add("\"" + name + "\":" + (value instanceof String text ? "\"" + text + "\"" : shown(value))));
        return "{" + String.join(",", entries) + "}\n";
    }
}
