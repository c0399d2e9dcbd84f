// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

/**
 * How far a fetch is, as its listener gets it: at most about ten times a second, on the thread that fetches. What the
 * listener throws ends the fetch. Immutable.
 */
public final class FetchProgress {
    /** What is being done. More may be added. */
    public enum Phase {
        /** Asking a source what it holds. */
        CONNECTING,
        /** Another thread or process is fetching the same model; its result will be used. */
        WAITING,
        /** Bytes are coming in. */
        DOWNLOADING,
        /** The model is being taken out of the package that held it. */
        UNPACKING,
        /** The checksum is being computed. */
        CHECKING,
        /** A source or an attempt failed; the next follows. */
        RETRYING,
        /** The file is there. */
        DONE
    }

    private final ModelReference reference;
    private final Phase phase;
    private final String detail;
    private final long done;
    private final long total;
    private final double bytesPerSecond;

    FetchProgress(ModelReference reference, Phase phase, String detail, long done, long total, double bytesPerSecond) {
        this.reference = reference;
        this.phase = phase;
        this.detail = detail;
        this.done = done;
        this.total = total;
        this.bytesPerSecond = bytesPerSecond;
    }

    /**
     * What is fetched.
     *
     * @return the reference that was asked for
     */
    public ModelReference reference() {
        return reference;
    }

    /**
     * What is being done.
     *
     * @return the phase
     */
    public Phase phase() {
        return phase;
    }

    /**
     * Words for people: the source, the reason of a retry.
     *
     * @return one line
     */
    public String detail() {
        return detail;
    }

    /**
     * Bytes so far, including those of earlier attempts.
     *
     * @return bytes, at least 0
     */
    public long done() {
        return done;
    }

    /**
     * Bytes of the whole.
     *
     * @return bytes, or -1 when not known
     */
    public long total() {
        return total;
    }

    /**
     * The speed of this download so far.
     *
     * @return bytes a second, 0 when not known yet
     */
    public double bytesPerSecond() {
        return bytesPerSecond;
    }

    @Override
    public String toString() {
        String bytes = total >= 0
                ? " " + Sizes.text(done) + " of " + Sizes.text(total)
                : done > 0 ? " " + Sizes.text(done) : "";
        return reference + ": " + phase.name().toLowerCase(java.util.Locale.ROOT) + " " + detail + bytes;
    }
}
