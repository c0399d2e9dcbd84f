// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeEvent;

/** What an engine's thread tells while it works. Called on that thread: whoever implements this returns at once. */
public interface Tap {
    /**
     * A round was computed.
     *
     * @param step what it did
     * @param nanos how long it took
     */
    void step(NativeEngine.Step step, long nanos);

    /**
     * A generation ended.
     *
     * @param finished how
     * @param timedOut whether a cancellation came from its deadline
     */
    void ended(NativeEvent.Finished finished, boolean timedOut);

    /** The engine is closed; told once. */
    void over();
}
