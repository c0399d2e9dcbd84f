// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.util.Locale;

/** Numbers for people. */
final class Units {
    private Units() {}

    /** For example {@code 98.4 MB}: powers of ten, as disks and hubs state them. */
    static String bytes(long bytes) {
        if (bytes < 1000) {
            return bytes + " bytes";
        }
        String[] units = {"kB", "MB", "GB", "TB", "PB", "EB"};
        double value = bytes / 1000.0;
        int unit = 0;
        while (value >= 999.95 && unit < units.length - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }

    /** For example {@code 134.5 M}. */
    static String count(long count) {
        if (count < 1_000_000) {
            return String.format(Locale.ROOT, "%,d", count);
        }
        return count < 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f M", count / 1e6)
                : String.format(Locale.ROOT, "%.2f G", count / 1e9);
    }

    static String rate(double perSecond) {
        return String.format(Locale.ROOT, perSecond < 100 ? "%.1f" : "%.0f", perSecond);
    }

    static String seconds(double seconds) {
        return String.format(Locale.ROOT, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
    }
}
