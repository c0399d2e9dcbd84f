// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

/** Colours of a terminal, or none. */
final class Style {
    private final boolean on;

    Style(boolean on) {
        this.on = on;
    }

    String bold(String text) {
        return with("1", text);
    }

    String dim(String text) {
        return with("2", text);
    }

    String prompt(String text) {
        return with("1;36", text);
    }

    String error(String text) {
        return with("31", text);
    }

    private String with(String code, String text) {
        return on ? "\033[" + code + "m" + text + "\033[0m" : text;
    }
}
