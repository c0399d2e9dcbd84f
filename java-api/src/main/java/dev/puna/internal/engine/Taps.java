// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeEvent;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Who is told what an engine's thread does. Each of them hears once that it is over, also who comes after that. */
final class Taps {
    private final List<Tap> all = new CopyOnWriteArrayList<>();
    private boolean over; // guarded by this: nobody is told anything any more

    // everyone

    void add(Tap tap) {
        boolean told;
        synchronized (this) {
            told = over;
            if (!told) {
                all.add(tap);
            }
        }
        if (told) {
            tap.over();
        }
    }

    void remove(Tap tap) {
        all.remove(tap);
    }

    // the engine's thread

    void step(NativeEngine.Step step, long nanos) {
        all.forEach(tap -> tap.step(step, nanos));
    }

    void ended(NativeEvent.Finished finished, boolean timedOut) {
        all.forEach(tap -> tap.ended(finished, timedOut));
    }

    void over() {
        synchronized (this) {
            over = true;
        }
        all.forEach(Tap::over);
        all.clear();
    }
}
