// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Ceilings;
import dev.puna.Context;
import dev.puna.Machine;
import dev.puna.Observer;
import dev.puna.Profile;
import dev.puna.Profiler;
import dev.puna.PunaException;
import dev.puna.Reply;
import dev.puna.Sampler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Measures a context. Every sequence of every measurement has ids of its own and begins with an empty cache: an engine
 * finds whole pages of a common beginning again by itself, and would answer a prompt that it has read before in no
 * time.
 */
final class Bench {
    /** Tokens more than are asked for, at most: sequences that are started together begin in steps of their own. */
    private static final int SPARE = 1024;

    private final Context context;
    private final int parallel;
    private final int repeat;
    private final boolean profiled;
    private @Nullable Ceilings ceilings;
    private @Nullable Profiler profiler; // while a test is profiled
    private @Nullable Profile profile; // of the test that was profiled last
    private long drawn; // ids until now

    Bench(Context context, int parallel, int repeat, boolean profiled) {
        this.context = context;
        this.parallel = parallel;
        this.repeat = repeat;
        this.profiled = profiled;
    }

    /** Where the time of a test went that was done once more, and what the machine could do at most. */
    record Profiled(Profile profile, Ceilings ceilings) {}

    /** What one test gave, in tokens a second of all sequences together. */
    record Run(
            String test,
            int tokens,
            int depth,
            int parallel,
            int threads,
            double median,
            double min,
            double max,
            @Nullable Profiled profiled) {}

    /** Prompts of a length: from their start to the first token of the last one. */
    Run prompt(int tokens) {
        return measure("prompt", tokens, 0, () -> {
            List<int[]> prompts = draw(tokens);
            context.trim();
            long cached = context.statistics().cachedTokens();
            beginProfile();
            long begun = System.nanoTime();
            together(prompts, 1);
            double seconds = (System.nanoTime() - begun) / 1e9;
            readProfile();
            nothingFound(cached);
            return parallel * (double) tokens / seconds;
        });
    }

    /**
     * Tokens one by one behind a depth, which is read before: the steps in which all sequences generate count, and
     * those alone.
     */
    Run generate(int tokens, int depth) {
        return measure("generate", tokens, depth, () -> {
            for (int spare = parallel == 1 ? 0 : parallel; ; spare *= 2) {
                List<int[]> prompts = draw(depth + 1);
                context.trim();
                if (depth > 0) {
                    long cached = context.statistics().cachedTokens();
                    together(
                            prompts.stream()
                                    .map(ids -> Arrays.copyOf(ids, depth))
                                    .toList(),
                            1);
                    nothingFound(cached);
                }
                beginProfile();
                Steps steps = new Steps(parallel, tokens);
                try (Observer.Registration watch = context.observe(steps)) {
                    together(prompts, tokens + 1 + Math.min(spare, SPARE));
                    readProfile(); // before observers are waited for, which is no part of the test
                    double rate = steps.rate(watch);
                    if (rate > 0) {
                        return rate;
                    }
                }
                if (spare == 0 || spare >= SPARE) {
                    throw new PunaException(parallel + " sequences never generated all together: ask for more tokens");
                }
            }
        });
    }

    /** Positions that a context has to have beside those that are asked for. */
    static int spare(int parallel) {
        return parallel == 1 ? 0 : SPARE;
    }

    private Run measure(String test, int tokens, int depth, DoubleSupplier once) {
        double unused = once.getAsDouble(); // warms up: pages, branches, clocks
        double[] rates = new double[repeat];
        for (int i = 0; i < repeat; i++) {
            rates[i] = once.getAsDouble();
        }
        Arrays.sort(rates);
        double median = (rates[repeat / 2] + rates[(repeat - 1) / 2]) / 2;
        int threads = context.status().threads();
        Profiled profile = profiled ? profile(once, threads) : null;
        return new Run(test, tokens, depth, parallel, threads, median, rates[0], rates[repeat - 1], profile);
    }

    /** The test once more, so that its rates stay those without a profile. */
    private Profiled profile(DoubleSupplier once, int threads) {
        Ceilings known = ceilings;
        if (known == null) {
            ceilings = known = Machine.ceilings(threads);
        }
        try (Profiler opened = context.profile()) {
            profiler = opened;
            double unused = once.getAsDouble();
            return new Profiled(Objects.requireNonNull(profile), known);
        } finally {
            profiler = null;
        }
    }

    /** What a test needs before it begins does not belong to it. */
    private void beginProfile() {
        Profiler open = profiler;
        if (open != null) {
            open.restart();
        }
    }

    private void readProfile() {
        Profiler open = profiler;
        if (open != null) {
            profile = open.read();
        }
    }

    private void nothingFound(long before) {
        long found = context.statistics().cachedTokens() - before;
        if (found != 0) {
            throw new IllegalStateException(found + " tokens were found in the cache: the rate would be too high");
        }
    }

    /** The first so many steps in which all sequences generate and no prompt is read. */
    private static final class Steps implements Observer {
        private final int parallel;
        private final int wanted;
        private final CountDownLatch ends;
        private int steps; // written before the last end, read after it; so are nanos
        private long nanos;

        Steps(int parallel, int wanted) {
            this.parallel = parallel;
            this.wanted = wanted;
            this.ends = new CountDownLatch(parallel);
        }

        @Override
        public void stepped(Step step) {
            if (step.promptTokens() == 0 && step.generatedTokens() == parallel && steps < wanted) {
                nanos += step.duration().toNanos();
                steps++;
            }
        }

        @Override
        public void ended(End end) {
            ends.countDown();
        }

        /** Tokens a second of all together, 0 where they never generated together. */
        double rate(Observer.Registration watch) {
            try {
                while (!ends.await(1, TimeUnit.SECONDS)) {
                    if (watch.missed() > 0) {
                        return 0;
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new PunaException("the measurement was interrupted", e);
            }
            return steps == 0 ? 0 : (double) parallel * steps * 1e9 / nanos;
        }
    }

    /** A generation behind each prompt, started at the same time. */
    private void together(List<int[]> prompts, int generated) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Reply>> replies = prompts.stream()
                    .map(ids -> threads.submit(() -> context.prompt(ids)
                            .sampler(Sampler.greedy())
                            .maxTokens(generated)
                            .ignoreEnd()
                            .reply()))
                    .toList();
            for (Future<Reply> reply : replies) {
                reply.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof PunaException known ? known : new PunaException("a request failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PunaException("the measurement was interrupted", e);
        }
    }

    /** Ids that look random: the same in every run of the program, others at each call and for each sequence. */
    private List<int[]> draw(int count) {
        int vocabulary = context.model().info().vocabulary();
        List<int[]> prompts = new ArrayList<>();
        for (int which = 0; which < parallel; which++) {
            int[] ids = new int[count];
            for (int i = 0; i < count; i++) {
                long state = ++drawn * 0x9E3779B97F4A7C15L;
                long mixed = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
                ids[i] = (int) Long.remainderUnsigned(mixed ^ (mixed >>> 27), vocabulary);
            }
            prompts.add(ids);
        }
        return prompts;
    }

    /** The processor's name where the system tells it, else its architecture. */
    static String processor() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException | RuntimeException e) {
            return System.getProperty("os.arch");
        }
    }
}
