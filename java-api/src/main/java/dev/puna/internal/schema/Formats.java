// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The formats that are enforced, as patterns. Dates exist in the calendar; leap seconds are left out, and time zones
 * further than any on earth. Those that JSON Schema does not know are what java.time's and java.math's classes read.
 */
final class Formats {
    private static final String DATE = "(?:"
            + "\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
            + "|02-(?:0[1-9]|1\\d|2[0-8]))"
            + "|(?:\\d{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[048]|[2468][048]|[13579][26])00)-02-29)";
    private static final String CLOCK = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?";
    private static final String OFFSET = "(?:Z|[+-](?:(?:0\\d|1[0-3]):[0-5]\\d|14:00))";
    private static final String HEX = "[0-9a-fA-F]";
    private static final String BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,40}[A-Za-z0-9])?";

    private static final String DURATION =
            "-?PT(?:\\d{1,6}H(?:\\d{1,2}M)?(?:\\d{1,2}S)?|\\d{1,6}M(?:\\d{1,2}S)?|\\d{1,9}(?:\\.\\d{1,9})?S)";

    private static final Map<String, String> PATTERNS = new TreeMap<>(Map.of(
            "local-time", CLOCK,
            "local-date-time", DATE + "T" + CLOCK,
            "decimal", "-?(?:0|[1-9]\\d{0,17})(?:\\.\\d{1,16})?",
            "date", DATE,
            "time", CLOCK + OFFSET,
            "date-time", DATE + "T" + CLOCK + OFFSET,
            "uuid", HEX + "{8}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{12}",
            "ipv4", BYTE + "(?:\\." + BYTE + "){3}",
            "email", "[A-Za-z0-9_+-]{1,64}(?:\\.[A-Za-z0-9_+-]{1,20}){0,3}@" + LABEL + "(?:\\." + LABEL + "){1,4}",
            "uri", "[a-z][a-z0-9+.-]{1,15}:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]{1,2000}"));

    static {
        PATTERNS.put("duration", DURATION);
    }

    private Formats() {}

    /** A format's pattern, null where there is none. */
    static @Nullable String pattern(String name) {
        return PATTERNS.get(name);
    }

    static String known() {
        return String.join(", ", PATTERNS.keySet());
    }
}
