// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;

/** The statuses of puna.h. */
public enum NativeStatus {
    /** Nothing failed. */
    OK,
    /** The caller's mistake; the message names the argument, its value and its range. */
    INVALID_ARGUMENT,
    /** Memory is short; needed and available are filled, in bytes. */
    OUT_OF_MEMORY,
    /** No such file, or no such thing in it. */
    NOT_FOUND,
    /** The system refused to read or write. */
    IO,
    /** A file contradicts its format; subject and offset say where. */
    INVALID_FILE,
    /** Well-formed, but not something that this library can run. */
    UNSUPPORTED,
    /** One sequence alone needs more positions than the context has. */
    CONTEXT_FULL,
    /** The queue is full, or another thread is inside the engine. */
    BUSY,
    /** A task was cancelled. */
    CANCELLED,
    /** A sequence is not open (any more). */
    CLOSED,
    /** Logits without a finite maximum: damaged weights or an overflow. */
    NOT_FINITE,
    /** The caller's buffer is too small; needed says how many elements it must hold. */
    BUFFER_TOO_SMALL,
    /** A number that these bindings do not know. */
    UNKNOWN;

    /** The status of a number in puna.h. */
    static NativeStatus of(int code) {
        if (code == PunaH.PUNA_OK()) return OK;
        if (code == PunaH.PUNA_INVALID_ARGUMENT()) return INVALID_ARGUMENT;
        if (code == PunaH.PUNA_OUT_OF_MEMORY()) return OUT_OF_MEMORY;
        if (code == PunaH.PUNA_NOT_FOUND()) return NOT_FOUND;
        if (code == PunaH.PUNA_IO()) return IO;
        if (code == PunaH.PUNA_INVALID_FILE()) return INVALID_FILE;
        if (code == PunaH.PUNA_UNSUPPORTED()) return UNSUPPORTED;
        if (code == PunaH.PUNA_CONTEXT_FULL()) return CONTEXT_FULL;
        if (code == PunaH.PUNA_BUSY()) return BUSY;
        if (code == PunaH.PUNA_CANCELLED()) return CANCELLED;
        if (code == PunaH.PUNA_CLOSED()) return CLOSED;
        if (code == PunaH.PUNA_NOT_FINITE()) return NOT_FINITE;
        if (code == PunaH.PUNA_BUFFER_TOO_SMALL()) return BUFFER_TOO_SMALL;
        return UNKNOWN;
    }
}
