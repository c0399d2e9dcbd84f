// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Context;
import dev.puna.Machine;
import dev.puna.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code puna bench}: how fast a model reads and writes here. */
@Command(
        name = "bench",
        description = "Measure how fast a model reads prompts and generates; a count of 0 leaves a test out.")
final class BenchCommand implements Callable<Integer> {
    private final Streams streams;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(
            names = "--prompt",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of a prompt (default: ${DEFAULT-VALUE}).")
    private int prompt;

    @Option(
            names = "--generate",
            paramLabel = "N",
            defaultValue = "128",
            description = "Tokens to generate (default: ${DEFAULT-VALUE}).")
    private int generate;

    @Option(
            names = "--depth",
            paramLabel = "N",
            defaultValue = "0",
            description = "Tokens in front of the generated ones (default: ${DEFAULT-VALUE}).")
    private int depth;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            defaultValue = "1",
            description = "Sequences at the same time; rates are their sum (default: ${DEFAULT-VALUE}).")
    private int parallel;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute (default: the physical cores).")
    private @Nullable Integer threads;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "3",
            description = "Measurements of each test, after one that does not count (default: ${DEFAULT-VALUE}).")
    private int repeat;

    @Option(names = "--json", description = "One JSON object.")
    private boolean json;

    BenchCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        range("--prompt", prompt, 0, 1 << 24);
        range("--generate", generate, 0, 1 << 24);
        range("--depth", depth, 0, 1 << 24);
        range("--parallel", parallel, 1, 1024);
        range("--repeat", repeat, 1, 10_000);
        if (threads != null) {
            range("--threads", threads, 1, 256);
        }
        try (Model loaded = new Models(streams).load(model.reference, options -> {});
                Context context = loaded.newContext(options -> {
                    options.maxSequences(parallel)
                            .contextLength(Math.max(64, Math.max(prompt, depth + 1 + generate) + 1));
                    if (threads != null) {
                        options.threads(threads);
                    }
                })) {
            Bench bench = new Bench(context, parallel, repeat);
            List<Bench.Run> runs = new ArrayList<>();
            if (prompt > 0) {
                runs.add(bench.prompt(prompt));
            }
            if (generate > 0) {
                runs.add(bench.generate(generate, depth));
            }
            if (json) {
                Json.print(streams.out(), asJson(loaded, runs));
            } else {
                print(loaded, runs);
            }
        }
        return 0;
    }

    private void range(String name, int value, int low, int high) {
        if (value < low || value > high) {
            throw PunaCommand.wrong(spec, name + " is " + value + "; it may be " + low + " to " + high);
        }
    }

    private void print(Model loaded, List<Bench.Run> runs) {
        Machine machine = Machine.current();
        streams.out().println(loaded.info() + "; " + machine + ", " + Bench.processor());
        Table table = new Table("TEST", "TOKENS>", "DEPTH>", "PARALLEL>", "THREADS>", "TOKENS/S>", "MIN>", "MAX>");
        for (Bench.Run run : runs) {
            table.row(
                    run.test(),
                    run.tokens(),
                    run.depth(),
                    run.parallel(),
                    run.threads(),
                    Units.rate(run.median()),
                    Units.rate(run.min()),
                    Units.rate(run.max()));
        }
        table.print(streams.out());
    }

    private static Object asJson(Model loaded, List<Bench.Run> runs) {
        Machine machine = Machine.current();
        return Json.object(
                "machine",
                Json.object(
                        "processor", Bench.processor(),
                        "cores", machine.cores(),
                        "threads", machine.threads(),
                        "memory", machine.memory(),
                        "tier", machine.tier(),
                        "tiers", machine.tiers(),
                        "os", System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                        "java", System.getProperty("java.version"),
                        "library", machine.libraryVersion(),
                        "arithmetic", machine.arithmeticVersion(),
                        "model", loaded.path().getFileName()),
                "runs",
                runs.stream().map(BenchCommand::asJson).toList());
    }

    private static Object asJson(Bench.Run run) {
        return Json.object(
                "test", run.test(),
                "tokens", run.tokens(),
                "depth", run.depth(),
                "parallel", run.parallel(),
                "threads", run.threads(),
                "tokens_per_second", Json.object("median", run.median(), "min", run.min(), "max", run.max()));
    }
}
