// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

/** What went wrong inside an evaluation; the interpreter adds the line. Carries no stack trace: it is not a bug. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String reason;

    Failure(String reason) {
        super(reason, null, false, false);
        this.reason = reason;
    }

    String reason() {
        return reason;
    }
}
