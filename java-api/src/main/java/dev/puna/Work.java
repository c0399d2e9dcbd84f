// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeGeneration;
import dev.puna.internal.engine.Generation;
import dev.puna.internal.engine.Slot;
import dev.puna.internal.talk.Speech;
import java.util.Map;

/**
 * A generation's input.
 *
 * @param ids the whole of the sequence's tokens
 * @param slot its sequence
 * @param books who is told how it goes
 * @param speech how the answer is taken apart
 * @param keep tokens that a full context keeps, if the request itself says nothing of it; -1: it drops none
 * @param forgotten tokens that were left out of the prompt, since the context was full
 */
@SuppressWarnings("ArrayRecordComponent")
record Work(int[] ids, Slot slot, Books books, Speech speech, int keep, int forgotten) {
    Work(int[] ids, Slot slot, Books books, Speech speech) {
        this(ids, slot, books, speech, -1, 0);
    }

    /** One generation, taken in by the engine. */
    TextStream start(Context context, NativeGeneration settings, long deadline, Generation.Hook hook) {
        Map<Integer, String> marks =
                speech == Speech.PLAIN ? Map.of() : context.format().marks();
        Generation generation = new Generation(ids, settings, slot, deadline, marks);
        Settlement settlement = new Settlement(generation, context.provenance(), this);
        TextStream stream = TextStream.start(context, generation, settlement, hook);
        books.started(settlement);
        return stream;
    }
}
