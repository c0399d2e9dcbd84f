// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.util.Locale;

/** Byte counts in words. */
final class Sizes {
    private Sizes() {}

    /** For example {@code 98.4 MB}: powers of ten, as disks and hubs state them. */
    static String text(long bytes) {
        if (bytes < 1000) {
            return bytes + " bytes";
        }
        double value = bytes;
        String[] units = {"kB", "MB", "GB", "TB", "PB", "EB"};
        int unit = -1;
        while (value >= 999.95 && unit < units.length - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", value, units[Math.max(unit, 0)]);
    }
}
