// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.util.List;
import java.util.Locale;

/** Runs as a picture: a panel a test, a line for each combination of settings, whiskers from the least to the most. */
final class BenchSvg {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 300; // of a panel
    private static final int TOP = 64; // of the picture: its title
    private static final int LEFT = 70;
    private static final int RIGHT = 190; // the legend
    private static final int ROOM_ABOVE = 34;
    private static final int ROOM_BELOW = 52;
    /** Colours that people who see few colours tell apart as well (Okabe and Ito). */
    private static final String[] COLOURS = {
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444", "#b8a800"
    };

    private final StringBuilder out = new StringBuilder();

    private BenchSvg() {}

    static String of(String title, String about, List<BenchPlot.Panel> panels) {
        BenchSvg svg = new BenchSvg();
        int height = TOP + panels.size() * HEIGHT + 10;
        svg.line(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222\">",
                WIDTH, height, WIDTH, height);
        svg.line("<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>");
        svg.text(24, 30, "start", " font-size=\"17\" font-weight=\"600\"", title);
        svg.text(24, 50, "start", " fill=\"#666\" font-size=\"12\"", about);
        for (int i = 0; i < panels.size(); i++) {
            svg.panel(panels.get(i), TOP + i * HEIGHT);
        }
        svg.line("</svg>");
        return svg.out.toString();
    }

    private void panel(BenchPlot.Panel panel, int top) {
        double step = BenchPlot.step(panel.most(), 5);
        int steps = Math.max(1, (int) Math.ceil(panel.most() / step - 1e-9));
        text(LEFT, top + 22, "start", " font-weight=\"600\"", panel.test() + ", tokens a second");
        for (int i = 0; i <= steps; i++) {
            double y = y(top, i / (double) steps);
            line(
                    "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>",
                    LEFT, WIDTH - RIGHT, y, y, i == 0 ? "#888" : "#e4e4e4");
            text(LEFT - 10, y + 4, "end", " fill=\"#666\" font-size=\"12\"", number(i * step));
        }
        for (int value : panel.values()) {
            text(x(panel, value), y(top, 0) + 20, "middle", " fill=\"#444\" font-size=\"12\"", String.valueOf(value));
        }
        text(
                (LEFT + WIDTH - RIGHT) / 2.0,
                y(top, 0) + 40,
                "middle",
                " fill=\"#666\"",
                panel.along().label());
        for (int i = 0; i < panel.lines().size(); i++) {
            line(panel, panel.lines().get(i), COLOURS[i % COLOURS.length], top, step * steps);
        }
        for (int i = 0; i < panel.lines().size() && panel.lines().size() > 1; i++) {
            int y = top + ROOM_ABOVE + 12 + i * 21;
            if (y > top + HEIGHT - ROOM_BELOW) {
                break; // more lines than the legend has room for
            }
            line(
                    "<circle cx=\"%d\" cy=\"%d\" r=\"5\" fill=\"%s\"/>",
                    WIDTH - RIGHT + 26, y, COLOURS[i % COLOURS.length]);
            text(
                    WIDTH - RIGHT + 38,
                    y + 4,
                    "start",
                    " font-size=\"12\"",
                    panel.lines().get(i).name());
        }
    }

    private void line(BenchPlot.Panel panel, BenchPlot.Line line, String colour, int top, double full) {
        StringBuilder points = new StringBuilder();
        for (Bench.Run run : line.runs()) {
            double x = x(panel, panel.along().of(run));
            double low = y(top, run.min() / full);
            double high = y(top, run.max() / full);
            points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y(top, run.median() / full)));
            line(
                    "<path d=\"M%.1f %.1fV%.1fM%.1f %.1fh8M%.1f %.1fh8\" stroke=\"%s\" stroke-opacity=\".5\"/>",
                    x, low, high, x - 4, low, x - 4, high, colour);
        }
        line(
                "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2.2\"/>",
                points.toString().strip(), colour);
        for (Bench.Run run : line.runs()) {
            double x = x(panel, panel.along().of(run));
            double y = y(top, run.median() / full);
            line("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>", x, y, colour);
            if (panel.lines().size() == 1) {
                text(
                        x,
                        Math.min(y - 10, y(top, run.max() / full) - 6),
                        "middle",
                        " font-size=\"12\"",
                        Units.rate(run.median()));
            }
        }
    }

    /** Values stand in equal distances: 1, 8 and 32 are three steps, not a corner and a void. */
    private static double x(BenchPlot.Panel panel, int value) {
        double room = WIDTH - RIGHT - LEFT;
        return LEFT
                + room * (panel.values().indexOf(value) + .5) / panel.values().size();
    }

    private static double y(int top, double part) {
        double room = HEIGHT - ROOM_ABOVE - ROOM_BELOW;
        return top + ROOM_ABOVE + room * (1 - part);
    }

    private static String number(double value) {
        return value == Math.rint(value)
                ? String.format(Locale.ROOT, "%,.0f", value)
                : String.format(Locale.ROOT, "%.2f", value).replaceFirst("0$", "");
    }

    private void text(double x, double y, String anchor, String style, String text) {
        line("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>%s</text>", x, y, anchor, style, escape(text));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private void line(String format, Object... values) {
        out.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
