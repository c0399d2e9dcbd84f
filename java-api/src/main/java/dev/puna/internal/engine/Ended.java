// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.bindings.NativeEvent;
import dev.puna.bindings.NativeException;
import dev.puna.internal.jfr.GenerationEvent;

/** What is told of a generation's end. */
final class Ended {
    private Ended() {}

    /** The flight recorder's event. */
    static void record(NativeEvent.Finished finished) {
        GenerationEvent event = new GenerationEvent();
        if (event.isEnabled()) {
            event.stop = finished.stop().name();
            event.promptTokens = finished.promptTokens();
            event.cachedTokens = finished.cachedTokens();
            event.tokens = finished.generatedTokens();
            event.draftedTokens = finished.draftedTokens();
            event.acceptedTokens = finished.acceptedTokens();
            event.queued = finished.queuedNanos();
            event.promptTime = finished.promptNanos();
            event.generationTime = finished.generateNanos();
            event.commit();
        }
    }

    /** The failure of a sequence, as if a call had failed. */
    static NativeException failure(NativeEvent.Finished finished) {
        return new NativeException(finished.status(), NativeException.NO_OFFSET, 0, 0, "", finished.message());
    }
}
