// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Rows in columns, each as wide as needed; a column whose name ends with {@code >} is set to the right. */
final class Table {
    private final List<String> names = new ArrayList<>();
    private final List<Boolean> right = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    Table(String... columns) {
        for (String column : columns) {
            right.add(column.endsWith(">"));
            names.add(column.endsWith(">") ? column.substring(0, column.length() - 1) : column);
        }
    }

    void row(Object... cells) {
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            row.add(String.valueOf(cell));
        }
        rows.add(row);
    }

    void print(PrintStream out) {
        int[] widths = new int[names.size()];
        measure(names, widths);
        rows.forEach(row -> measure(row, widths));
        if (names.stream().anyMatch(name -> !name.isEmpty())) {
            line(out, names, widths);
        }
        rows.forEach(row -> line(out, row, widths));
    }

    private static void measure(List<String> row, int[] widths) {
        for (int i = 0; i < row.size(); i++) {
            widths[i] = Math.max(widths[i], row.get(i).length());
        }
    }

    private void line(PrintStream out, List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < row.size(); i++) {
            String cell = row.get(i);
            String pad = " ".repeat(widths[i] - cell.length());
            line.append(right.get(i) ? pad + cell : cell + pad).append("  ");
        }
        out.println(line.toString().stripTrailing());
    }
}
