// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** strftime_now(): the clock's local time in C's notation, in English. */
final class Strftime {
    private Strftime() {}

    static Str format(Str format, Clock clock, Budget budget) {
        LocalDateTime now = ZonedDateTime.now(clock).toLocalDateTime();
        StrBuilder out = new StrBuilder(budget);
        String text = format.text();
        int kept = 0;
        for (int at = text.indexOf('%'); at >= 0 && at + 1 < text.length(); at = text.indexOf('%', kept)) {
            budget.step();
            out.add(format, kept, at);
            int i = at + 1;
            boolean bare = text.charAt(i) == '-' && i + 1 < text.length();
            i += bare ? 1 : 0;
            out.own(field(text.charAt(i), bare, now));
            kept = i + 1;
        }
        return out.add(format, kept, text.length()).build();
    }

    private static String field(char letter, boolean bare, LocalDateTime now) {
        return switch (letter) {
            case 'a' -> now.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b', 'h' -> now.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'd' -> number(now.getDayOfMonth(), 2, bare);
            case 'e' -> bare ? String.valueOf(now.getDayOfMonth()) : String.format("%2d", now.getDayOfMonth());
            case 'm' -> number(now.getMonthValue(), 2, bare);
            case 'y' -> number(now.getYear() % 100, 2, bare);
            case 'Y' -> String.valueOf(now.getYear());
            case 'C' -> number(now.getYear() / 100, 2, bare);
            case 'G' -> String.valueOf(now.get(IsoFields.WEEK_BASED_YEAR));
            case 'V' -> number(now.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, bare);
            case 'H' -> number(now.getHour(), 2, bare);
            case 'I' -> number(now.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, bare);
            case 'M' -> number(now.getMinute(), 2, bare);
            case 'S' -> number(now.getSecond(), 2, bare);
            case 'f' -> number(now.getNano() / 1000, 6, false);
            case 'p' -> now.getHour() < 12 ? "AM" : "PM";
            case 'j' -> number(now.getDayOfYear(), 3, bare);
            case 'u' -> String.valueOf(now.getDayOfWeek().getValue());
            case 'w' -> String.valueOf(now.getDayOfWeek().getValue() % 7);
            case 'U' -> number((now.getDayOfYear() + 6 - now.getDayOfWeek().getValue() % 7) / 7, 2, bare);
            case 'W' -> number((now.getDayOfYear() + 7 - now.getDayOfWeek().getValue()) / 7, 2, bare);
            case 'D', 'x' -> join(now, "m/d/y");
            case 'F' -> join(now, "Y-m-d");
            case 'T', 'X' -> join(now, "H:M:S");
            case 'R' -> join(now, "H:M");
            case 'c' -> join(now, "a b e H:M:S Y");
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'Z', 'z' -> "";
            case '%' -> "%";
            default -> throw new Failure("strftime_now() knows no '%" + letter + "'");
        };
    }

    private static String join(LocalDateTime now, String pattern) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            out.append(Character.isLetter(c) ? field(c, false, now) : String.valueOf(c));
        }
        return out.toString();
    }

    private static String number(int value, int width, boolean bare) {
        String digits = String.valueOf(value);
        return bare ? digits : "0".repeat(Math.max(0, width - digits.length())) + digits;
    }
}
