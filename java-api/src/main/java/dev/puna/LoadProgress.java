// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** How far the loading of a model is. Immutable. */
public final class LoadProgress {
    private final Stage stage;
    private final String detail;
    private final long done;
    private final long total;

    LoadProgress(Stage stage, String detail, long done, long total) {
        this.stage = stage;
        this.detail = detail;
        this.done = done;
        this.total = total;
    }

    /** What is being done. More may be added. */
    public enum Stage {
        /** The file is being fetched. */
        FETCHING,
        /** The weights are being read and packed. */
        LOADING
    }

    /** {@return what is being done} */
    public Stage stage() {
        return stage;
    }

    /** {@return words for people; may be empty} */
    public String detail() {
        return detail;
    }

    /** {@return bytes so far} */
    public long done() {
        return done;
    }

    /** {@return bytes of the whole, 0 or less when not known} */
    public long total() {
        return total;
    }

    @Override
    public String toString() {
        return stage + " " + done + " of " + total + " bytes " + detail;
    }
}
