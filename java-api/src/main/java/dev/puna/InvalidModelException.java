// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.OptionalLong;

/** A model's file contradicts its format, or its weights are damaged: fetch it again, or convert it anew. */
public final class InvalidModelException extends PunaException {
    private static final long serialVersionUID = 1L;

    /** The file and the field. */
    private final String where;
    /** Bytes from the start of the file. */
    private final long offset;

    /**
     * Creates an exception.
     *
     * @param where file and field, maybe empty
     * @param offset bytes from the file's start, or -1 when there is no such place
     * @param why one sentence
     */
    public InvalidModelException(String where, long offset, String why) {
        super((where.isEmpty() ? "" : where + (offset >= 0 ? " at byte " + offset : "") + ": ") + why);
        this.where = where;
        this.offset = offset;
    }

    /** {@return the file and the field in it; may be empty} */
    public String where() {
        return where;
    }

    /** {@return the place in the file, in bytes from its start, if there is one} */
    public OptionalLong offset() {
        return offset >= 0 ? OptionalLong.of(offset) : OptionalLong.empty();
    }
}
