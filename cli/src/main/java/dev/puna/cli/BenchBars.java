// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.PrintStream;
import java.util.List;

/** Runs as bars of block characters, for a terminal. */
final class BenchBars {
    private static final int WIDTH = 48;
    private static final String EIGHTHS = " ▏▎▍▌▋▊▉";

    private BenchBars() {}

    static void print(List<BenchPlot.Panel> panels, Style style, PrintStream out) {
        for (BenchPlot.Panel panel : panels) {
            out.println();
            out.println(style.bold(
                    panel.test() + ", tokens a second by " + panel.along().label()));
            int digits = String.valueOf(panel.values().getLast()).length();
            for (BenchPlot.Line line : panel.lines()) {
                if (!line.name().isEmpty()) {
                    out.println(style.dim(line.name()));
                }
                for (Bench.Run run : line.runs()) {
                    String label = String.valueOf(panel.along().of(run));
                    out.println("  " + " ".repeat(digits - label.length()) + label + " "
                            + bar(run.median() / Math.max(panel.most(), 1e-9)) + " " + Units.rate(run.median()));
                }
            }
        }
    }

    /** A bar of a part of the width, exact to an eighth of a character; something is never nothing. */
    static String bar(double part) {
        int eighths = (int) Math.round(part * WIDTH * 8);
        eighths = Math.clamp(eighths, part > 0 ? 1 : 0, WIDTH * 8);
        String whole = "█".repeat(eighths / 8);
        return eighths % 8 == 0 ? whole : whole + EIGHTHS.charAt(eighths % 8);
    }
}
