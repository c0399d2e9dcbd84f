// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.BusyException;
import dev.puna.ClosedException;
import dev.puna.ContextFullException;
import dev.puna.InsufficientMemoryException;
import dev.puna.InvalidModelException;
import dev.puna.ModelNotFoundException;
import dev.puna.NativeLibraryException;
import dev.puna.PunaException;
import dev.puna.UnsupportedModelException;
import dev.puna.bindings.NativeClosedException;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeLoadException;
import java.util.function.Supplier;

/** The one place where what the core says becomes an exception of the API. Any thread. */
public final class Failures {
    private Failures() {}

    /**
     * Calls the core.
     *
     * @param call into the bindings
     * @return what it gave
     */
    public static <T> T mapped(Supplier<T> call) {
        try {
            return call.get();
        } catch (NativeException | NativeClosedException | NativeLoadException e) {
            throw of(e);
        }
    }

    /**
     * Calls the core for its effect.
     *
     * @param call into the bindings
     */
    public static void run(Runnable call) {
        mapped(() -> {
            call.run();
            return true;
        });
    }

    /**
     * The API's exception for one of the bindings'.
     *
     * @param failure what the bindings threw
     * @return what to throw instead
     */
    public static RuntimeException of(RuntimeException failure) {
        return switch (failure) {
            case NativeException e -> because(of(e), e);
            case NativeClosedException e -> because(new ClosedException(String.valueOf(e.getMessage())), e);
            case NativeLoadException e -> new NativeLibraryException(String.valueOf(e.getMessage()), e.tried(), e);
            default -> failure;
        };
    }

    private static RuntimeException because(RuntimeException mapped, RuntimeException cause) {
        mapped.initCause(cause);
        return mapped;
    }

    private static RuntimeException of(NativeException e) {
        String message = String.valueOf(e.getMessage());
        String place = e.offset() >= 0 ? " at byte " + e.offset() : "";
        String where = e.subject().isEmpty() ? message : e.subject() + place + ": " + message;
        return switch (e.status()) {
            case INVALID_ARGUMENT -> new IllegalArgumentException(message);
            case OUT_OF_MEMORY -> new InsufficientMemoryException(where, e.needed(), e.available());
            case NOT_FOUND -> new ModelNotFoundException(where);
            case INVALID_FILE -> new InvalidModelException(e.subject(), e.offset(), message);
            case NOT_FINITE -> new InvalidModelException(e.subject(), -1, message);
            case UNSUPPORTED -> new UnsupportedModelException(where);
            case CONTEXT_FULL -> new ContextFullException(message, e.needed(), e.available());
            case BUSY -> new BusyException(message);
            case CLOSED -> new ClosedException(message);
            default -> new PunaException(where);
        };
    }
}
