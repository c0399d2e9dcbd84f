// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

/**
 * A line of the core's log.
 *
 * @param level how grave it is
 * @param timeNanos since the library was loaded
 * @param dropped entries lost before this one because nobody read them
 * @param message one line
 */
public record NativeLogEntry(Level level, long timeNanos, long dropped, String message) {
    /** How grave an entry is. */
    public enum Level {
        /** For those who look into the matter. */
        DEBUG,
        /** Normal events. */
        INFO,
        /** Something to look at. */
        WARNING,
        /** Something failed. */
        ERROR
    }
}
