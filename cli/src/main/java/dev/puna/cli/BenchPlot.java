// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * What a plot of runs shows: a panel a test, in it a line for each combination of settings, along the setting that has
 * the most values. Immutable.
 */
final class BenchPlot {
    /** A setting of a run. */
    enum Setting {
        PARALLEL("parallel", Bench.Run::parallel),
        DEPTH("depth", Bench.Run::depth),
        TOKENS("tokens", Bench.Run::tokens),
        THREADS("threads", Bench.Run::threads);

        private final String label;
        private final ToIntFunction<Bench.Run> value;

        Setting(String label, ToIntFunction<Bench.Run> value) {
            this.label = label;
            this.value = value;
        }

        String label() {
            return label;
        }

        int of(Bench.Run run) {
            return value.applyAsInt(run);
        }
    }

    /** Runs that differ in the panel's setting alone, by its value. */
    record Line(String name, List<Bench.Run> runs) {}

    /** All runs of a test; {@code values} of the setting {@code along}, ascending. */
    record Panel(String test, Setting along, List<Integer> values, List<Line> lines, double most) {}

    private BenchPlot() {}

    static List<Panel> of(List<Bench.Run> runs) {
        Map<String, List<Bench.Run>> tests = new LinkedHashMap<>();
        for (Bench.Run run : runs) {
            tests.computeIfAbsent(run.test(), test -> new ArrayList<>()).add(run);
        }
        List<Panel> panels = new ArrayList<>();
        tests.forEach((test, some) -> panels.add(panel(test, some)));
        return panels;
    }

    private static Panel panel(String test, List<Bench.Run> runs) {
        Setting along = Setting.PARALLEL;
        for (Setting setting : Setting.values()) {
            if (values(setting, runs).size() > values(along, runs).size()) {
                along = setting;
            }
        }
        Map<String, List<Bench.Run>> lines = new LinkedHashMap<>();
        for (Bench.Run run : runs) {
            lines.computeIfAbsent(others(along, run, runs), name -> new ArrayList<>())
                    .add(run);
        }
        List<Line> all = new ArrayList<>();
        Setting chosen = along;
        lines.forEach((name, some) -> all.add(new Line(
                name,
                some.stream()
                        .sorted((a, b) -> Integer.compare(chosen.of(a), chosen.of(b)))
                        .toList())));
        double most = runs.stream().mapToDouble(Bench.Run::max).max().orElse(0);
        return new Panel(test, along, values(along, runs), all, most);
    }

    private static List<Integer> values(Setting setting, List<Bench.Run> runs) {
        return runs.stream().map(setting::of).distinct().sorted().toList();
    }

    /** What tells a run's line apart: the other settings that have several values. */
    private static String others(Setting along, Bench.Run run, List<Bench.Run> runs) {
        List<String> parts = new ArrayList<>();
        for (Setting setting : Setting.values()) {
            if (setting != along && values(setting, runs).size() > 1) {
                parts.add(setting.label() + " " + setting.of(run));
            }
        }
        return String.join(", ", parts);
    }

    /** The least of 1, 2, 2.5 and 5 times a power of ten that {@code count} of are at least {@code most}. */
    static double step(double most, int count) {
        double raw = Math.max(most, 1e-9) / count;
        double power = Math.pow(10, Math.floor(Math.log10(raw)));
        for (double nice : new double[] {1, 2, 2.5, 5}) {
            if (nice * power >= raw * (1 - 1e-12)) {
                return nice * power;
            }
        }
        return 10 * power;
    }
}
