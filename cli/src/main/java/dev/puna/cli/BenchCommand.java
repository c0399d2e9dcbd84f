// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Context;
import dev.puna.InsufficientMemoryException;
import dev.puna.Machine;
import dev.puna.Model;
import dev.puna.PunaException;
import dev.puna.Statistics;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
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
        description = "Measure how fast a model reads prompts and generates; a count of 0 leaves a test out;"
                + " counts with commas between them are measured one by one.")
final class BenchCommand implements Callable<Integer> {
    private final Streams streams;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(
            names = "--prompt",
            paramLabel = "N,...",
            split = ",",
            defaultValue = "512",
            description = "Tokens of a prompt (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<Integer> prompt;

    @Option(
            names = "--generate",
            paramLabel = "N,...",
            split = ",",
            defaultValue = "128",
            description = "Tokens to generate (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<Integer> generate;

    @Option(
            names = "--depth",
            paramLabel = "N,...",
            split = ",",
            defaultValue = "0",
            description = "Tokens in front of the generated ones (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<Integer> depth;

    @Option(
            names = "--parallel",
            paramLabel = "N,...",
            split = ",",
            defaultValue = "1",
            description = "Sequences at the same time; rates are their sum (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<Integer> parallel;

    @Option(
            names = "--threads",
            paramLabel = "N,...",
            split = ",",
            description = "Threads that compute (default: the physical cores).")
    private @Nullable List<Integer> threads;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "3",
            description = "Measurements of each test, after one that does not count (default: ${DEFAULT-VALUE}).")
    private int repeat;

    @Option(
            names = "--profile",
            description = "Do each test once more, and tell where the time went and what the machine could do at most.")
    private boolean profiled;

    @Option(names = "--json", description = "One JSON object.")
    private boolean json;

    @Option(names = "--svg", paramLabel = "FILE", description = "Draw the rates into a picture as well.")
    private @Nullable Path svg;

    BenchCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        range("--prompt", prompt, 0, 1 << 24);
        range("--generate", generate, 0, 1 << 24);
        range("--depth", depth, 0, 1 << 24);
        range("--parallel", parallel, 1, 1024);
        range("--repeat", List.of(repeat), 1, 10_000);
        if (threads != null) {
            range("--threads", threads, 1, 256);
        }
        if (svg != null && (Files.isDirectory(svg) || !Files.isDirectory(folder(svg)))) {
            throw PunaCommand.wrong(spec, "--svg " + svg + " is no file in a folder that is there");
        }
        try (Model loaded = new Models(streams).load(model.reference, options -> {})) {
            List<Bench.Run> runs = new ArrayList<>();
            for (int count : threads != null ? once(threads) : List.of(0)) {
                for (int sequences : once(parallel)) {
                    measure(loaded, count, sequences, runs);
                }
            }
            if (json) {
                Json.print(streams.out(), asJson(loaded, runs));
            } else {
                print(loaded, runs);
            }
            if (svg != null) {
                draw(loaded, runs, svg);
            }
        }
        return 0;
    }

    /** All tests of one context. */
    private void measure(Model loaded, int count, int sequences, List<Bench.Run> runs) {
        int length = 64;
        for (int tokens : prompt) {
            length = Math.max(length, tokens + 1);
        }
        for (int tokens : generate) {
            length = Math.max(length, Collections.max(depth) + 1 + tokens + 1);
        }
        int positions = length;
        try (Context context = loaded.newContext(options -> {
            options.maxSequences(sequences).contextLength(positions + Bench.spare(sequences));
            if (count > 0) {
                options.threads(count);
            }
        })) {
            room(context, sequences, positions);
            Bench bench = new Bench(context, sequences, repeat, profiled);
            once(prompt).stream()
                    .filter(tokens -> tokens > 0)
                    .map(bench::prompt)
                    .forEach(runs::add);
            for (int tokens : once(generate)) {
                for (int behind : tokens > 0 ? once(depth) : List.<Integer>of()) {
                    runs.add(bench.generate(tokens, behind));
                }
            }
        }
    }

    /** Where not all sequences fit, some would wait, and their rate would not be what is asked for. */
    private static void room(Context context, int sequences, int positions) {
        Statistics now = context.statistics();
        long pages = (positions + 63L) / 64 * sequences;
        if (now.pagesTotal() < pages) {
            throw new InsufficientMemoryException(
                    sequences + " sequences of " + positions + " positions need " + Units.bytes(pages * now.pageBytes())
                            + " of cache, half of the free memory is "
                            + Units.bytes(now.pagesTotal() * now.pageBytes())
                            + ": lower --parallel, --depth or --prompt",
                    pages * now.pageBytes(),
                    now.pagesTotal() * now.pageBytes());
        }
    }

    private static List<Integer> once(List<Integer> values) {
        return values.stream().distinct().toList();
    }

    private static Path folder(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        return parent != null ? parent : file.toAbsolutePath();
    }

    private void range(String name, List<Integer> values, int low, int high) {
        for (int value : values) {
            if (value < low || value > high) {
                throw PunaCommand.wrong(spec, name + " is " + value + "; it may be " + low + " to " + high);
            }
        }
    }

    private static void draw(Model loaded, List<Bench.Run> runs, Path file) {
        Machine machine = Machine.current();
        String picture = BenchSvg.of(
                loaded.path().getFileName().toString(),
                Bench.processor() + ", " + machine.tier() + ", puna " + machine.libraryVersion(),
                BenchPlot.of(runs));
        try {
            Files.writeString(file, picture);
        } catch (IOException e) {
            String why = e instanceof FileSystemException system && system.getReason() != null
                    ? system.getReason()
                    : "the system refuses";
            throw new PunaException("the picture cannot be written into " + file + ": " + why, e);
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
        if (runs.size() > 2) {
            BenchBars.print(BenchPlot.of(runs), new Style(streams.colours()), streams.out());
        }
        runs.forEach(run -> BenchProfile.print(run, streams.out()));
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
        Map<String, Object> json = Json.object(
                "test", run.test(),
                "tokens", run.tokens(),
                "depth", run.depth(),
                "parallel", run.parallel(),
                "threads", run.threads(),
                "tokens_per_second", Json.object("median", run.median(), "min", run.min(), "max", run.max()));
        Bench.Profiled known = run.profiled();
        if (known != null) {
            json.put("profile", BenchProfile.asJson(known, BenchProfile.tokens(run, known.profile())));
        }
        return json;
    }
}
