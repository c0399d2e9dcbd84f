// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Ceilings;
import dev.puna.Profile;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.stream.Collectors;

/** Where a test's time went: a table of its phases, and the ops' shares. */
final class BenchProfile {
    private BenchProfile() {}

    /** Of all sequences together: those that the test is about. */
    static long tokens(Bench.Run run, Profile profile) {
        return run.test().equals("prompt") ? profile.promptTokens() : profile.generatedTokens();
    }

    static void print(Bench.Run run, PrintStream out) {
        Bench.Profiled known = run.profiled();
        if (known == null) {
            return;
        }
        Profile profile = known.profile();
        Ceilings ceilings = known.ceilings();
        double all = seconds(profile.elapsed());
        double tokens = Math.max(1, tokens(run, profile));
        out.printf(
                Locale.ROOT,
                "%n%s %d, depth %d, parallel %d, threads %d: %.4f ms a token: %.1f%% computing, %.1f%% the engine"
                        + " beside that, %.1f%% Java%n",
                run.test(),
                run.tokens(),
                run.depth(),
                run.parallel(),
                run.threads(),
                all * 1e3 / tokens,
                percent(seconds(profile.computing()), all),
                percent(seconds(profile.engine()) - seconds(profile.computing()), all),
                percent(all - seconds(profile.engine()), all));
        out.printf(
                Locale.ROOT,
                "at most %.1f GB/s, %s%n",
                ceilings.bytesPerSecond() / 1e9,
                ceilings.productsPerSecond() > 0
                        ? String.format(Locale.ROOT, "%.0f GMAC/s", ceilings.productsPerSecond() / 1e9)
                        : "GMAC/s not known");
        table(profile, ceilings, tokens, all).print(out);
        String ops = profile.ops().stream()
                .map(op -> String.format(
                        Locale.ROOT,
                        "%s%s %.1f%%",
                        prefix(op),
                        op.name(),
                        percent(seconds(op.busy()), all * profile.threads())))
                .collect(Collectors.joining(", "));
        out.println("threads' time by op: " + ops);
    }

    private static Table table(Profile profile, Ceilings ceilings, double tokens, double all) {
        Table table = new Table(
                "PHASE",
                "CALLS>",
                "MS/TOKEN>",
                "TIME>",
                "BARRIER>",
                "IDLE>",
                "GB/S>",
                "OF MOST>",
                "GMAC/S>",
                "OF MOST>");
        for (Profile.Work phase : profile.phases()) {
            double wall = seconds(phase.wall());
            double reads = phase.bytes() / Math.max(wall, 1e-9);
            double products = phase.products() / Math.max(wall, 1e-9);
            table.row(
                    prefix(phase) + phase.name(),
                    phase.calls(),
                    String.format(Locale.ROOT, "%.4f", wall * 1e3 / tokens),
                    share(wall, all),
                    share(seconds(phase.barrier()), all),
                    share(phase.idleShare(), 1),
                    phase.bytes() > 0 ? String.format(Locale.ROOT, "%.1f", reads / 1e9) : "",
                    phase.bytes() > 0 ? share(reads, ceilings.bytesPerSecond()) : "",
                    phase.products() > 0 ? String.format(Locale.ROOT, "%.1f", products / 1e9) : "",
                    phase.products() > 0 ? share(products, ceilings.productsPerSecond()) : "");
        }
        return table;
    }

    static Object asJson(Bench.Profiled known, long tokens) {
        Profile profile = known.profile();
        return Json.object(
                "tokens", tokens,
                "batches", profile.batches(),
                "seconds", seconds(profile.elapsed()),
                "engine_seconds", seconds(profile.engine()),
                "computing_seconds", seconds(profile.computing()),
                "ceilings",
                        Json.object(
                                "bytes_per_second", known.ceilings().bytesPerSecond(),
                                "products_per_second", known.ceilings().productsPerSecond()),
                "phases", profile.phases().stream().map(BenchProfile::phase).toList(),
                "ops", profile.ops().stream().map(BenchProfile::op).toList());
    }

    private static Object phase(Profile.Work phase) {
        return Json.object(
                "part", part(phase),
                "name", phase.name(),
                "calls", phase.calls(),
                "seconds", seconds(phase.wall()),
                "busy_seconds", seconds(phase.busy()),
                "barrier_seconds", seconds(phase.barrier()),
                "idle_seconds", seconds(phase.idle()),
                "bytes", phase.bytes(),
                "products", phase.products());
    }

    private static Object op(Profile.Work op) {
        return Json.object(
                "part", part(op), "name", op.name(), "calls", op.calls(), "busy_seconds", seconds(op.busy()));
    }

    private static String part(Profile.Work work) {
        return work.part().name().toLowerCase(Locale.ROOT);
    }

    private static String prefix(Profile.Work work) {
        return work.part() == Profile.Part.MODEL ? "" : part(work) + ": ";
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    private static double percent(double part, double whole) {
        return whole > 0 ? 100 * part / whole : 0;
    }

    private static String share(double part, double whole) {
        return whole > 0 ? String.format(Locale.ROOT, "%.1f%%", percent(part, whole)) : "";
    }
}
