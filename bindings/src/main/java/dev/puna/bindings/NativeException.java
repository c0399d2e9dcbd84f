// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

/** A native function failed. The module {@code dev.puna} turns it into one of its own exceptions, by the status. */
public final class NativeException extends RuntimeException {
    /** What {@link #offset()} gives when the failure has no place in a file. */
    public static final long NO_OFFSET = -1;

    private static final long serialVersionUID = 1L;

    private final NativeStatus status;
    private final long offset;
    private final long needed;
    private final long available;
    private final String subject;

    /**
     * Creates the exception.
     *
     * @param status which kind of failure
     * @param offset bytes from the file's start, or {@link #NO_OFFSET}
     * @param needed of what ran out, 0 if that is not the matter
     * @param available likewise
     * @param subject what it is about: a file, a field, an argument; may be empty
     * @param message one sentence: what, where, and what to do
     */
    public NativeException(
            NativeStatus status, long offset, long needed, long available, String subject, String message) {
        super(message);
        this.status = status;
        this.offset = offset;
        this.needed = needed;
        this.available = available;
        this.subject = subject;
    }

    /**
     * Which kind of failure.
     *
     * @return never {@link NativeStatus#OK}
     */
    public NativeStatus status() {
        return status;
    }

    /**
     * Where in the file.
     *
     * @return bytes from its start, or {@link #NO_OFFSET}
     */
    public long offset() {
        return offset;
    }

    /**
     * How much of what ran out was needed.
     *
     * @return bytes, positions or elements; 0 if that is not the matter
     */
    public long needed() {
        return needed;
    }

    /**
     * How much of what ran out there was.
     *
     * @return bytes, positions or elements; 0 if that is not the matter
     */
    public long available() {
        return available;
    }

    /**
     * What it is about.
     *
     * @return a file, a field, an argument; may be empty
     */
    public String subject() {
        return subject;
    }
}
