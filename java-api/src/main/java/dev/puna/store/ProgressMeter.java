// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Tells a listener how far one fetch is, at most every 100 ms within a phase. One thread. */
final class ProgressMeter {
    private static final long INTERVAL_NANOS = 100_000_000L;

    private final ModelReference reference;
    private final @Nullable Consumer<? super FetchProgress> listener;
    private FetchProgress.Phase phase = FetchProgress.Phase.CONNECTING;
    private String detail = "";
    private long total = -1;
    private long done;
    private long startedAt;
    private long startedWith = -1;
    private long toldAt;
    private long before;
    private long whole = -1;

    ProgressMeter(ModelReference reference, @Nullable Consumer<? super FetchProgress> listener) {
        this.reference = reference;
        this.listener = listener;
    }

    /**
     * What follows is a part of something larger.
     *
     * @param newBefore bytes of the parts that are there
     * @param newWhole all bytes, or -1
     */
    void within(long newBefore, long newWhole) {
        before = newBefore;
        whole = newWhole;
    }

    /** Begins a phase and tells it at once. */
    void phase(FetchProgress.Phase newPhase, String newDetail, long newDone, long newTotal) {
        phase = newPhase;
        detail = newDetail;
        total = newTotal < 0 ? newTotal : Math.max(whole, before + newTotal);
        done = before + newDone;
        startedAt = System.nanoTime();
        startedWith = done;
        tell();
    }

    /** The phase's bytes so far. */
    void at(long bytes) {
        done = before + bytes;
        if (done < startedWith) {
            startedWith = done;
            startedAt = System.nanoTime();
        }
        if (System.nanoTime() - toldAt >= INTERVAL_NANOS || done == total) {
            tell();
        }
    }

    private void tell() {
        toldAt = System.nanoTime();
        if (listener != null) {
            double seconds = (toldAt - startedAt) * 1e-9;
            double rate = seconds > 0.05 ? (done - startedWith) / seconds : 0;
            listener.accept(new FetchProgress(reference, phase, detail, done, total, rate));
        }
    }
}
