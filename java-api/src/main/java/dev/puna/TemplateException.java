// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import org.jspecify.annotations.Nullable;

/** A chat template is not valid, refused the messages, or ran past its limits. */
public class TemplateException extends PunaException {
    private static final long serialVersionUID = 1L;

    /** Where in the template, from 1. */
    private final int line;
    /** What is wrong there. */
    private final String reason;

    /**
     * Makes a failure at a line of a template.
     *
     * @param template the template's name, null when it has none
     * @param line the line, counted from 1; 0 when no line is to blame
     * @param reason what is wrong
     */
    public TemplateException(@Nullable String template, int line, String reason) {
        super("chat template" + (template == null ? "" : " " + template) + (line > 0 ? ", line " + line : "") + ": "
                + reason);
        this.line = line;
        this.reason = reason;
    }

    /** {@return the line of the template, counted from 1; 0 when no line is to blame} */
    public int line() {
        return line;
    }

    /** {@return what is wrong, without the line} */
    public String reason() {
        return reason;
    }
}
