// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_event;
import dev.puna.bindings.gen.puna_logprob;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An event as the core writes it. */
final class EventStruct {
    private static final int[] NO_IDS = {};
    private static final float[] NO_LOGPROBS = {};

    private EventStruct() {}

    /** A copy: the core's own memory holds until the next step. */
    static NativeEvent read(MemorySegment event) {
        int kind = puna_event.kind(event);
        if (kind == PunaH.PUNA_EVENT_FINISHED()) return finished(event);
        return kind == PunaH.PUNA_EVENT_LOGITS() ? logits(event) : token(event);
    }

    private static NativeEvent logits(MemorySegment event) {
        int count = puna_event.logit_count(event);
        MemorySegment row = puna_event.logits(event);
        float[] values = count == 0
                ? new float[0]
                : row.asSlice(0, (long) count * Float.BYTES).toArray(ValueLayout.JAVA_FLOAT);
        return new NativeEvent.Logits(puna_event.sequence(event), values);
    }

    private static NativeEvent token(MemorySegment event) {
        int count = puna_event.top_count(event);
        int[] ids = count == 0 ? NO_IDS : new int[count];
        float[] logprobs = count == 0 ? NO_LOGPROBS : new float[count];
        if (count > 0) {
            MemorySegment top = puna_event.top(event);
            for (int i = 0; i < count; i++) {
                MemorySegment one = puna_logprob.asSlice(top, i);
                ids[i] = puna_logprob.id(one);
                logprobs[i] = puna_logprob.logprob(one);
            }
        }
        return new NativeEvent.Token(
                puna_event.sequence(event),
                puna_event.token(event),
                text(event),
                puna_event.logprob(event),
                ids,
                logprobs);
    }

    private static NativeEvent finished(MemorySegment event) {
        NativeEvent.Stop stop = stop(puna_event.stop(event));
        boolean failed = stop == NativeEvent.Stop.FAILED;
        return new NativeEvent.Finished(
                puna_event.sequence(event),
                stop,
                puna_event.stop_index_valid(event) == 1 ? puna_event.stop_index(event) : -1,
                text(event),
                failed ? NativeStatus.of(puna_event.status(event)) : NativeStatus.OK,
                failed ? puna_event.message(event).getString(0) : "",
                puna_event.prompt_tokens(event),
                puna_event.cached_tokens(event),
                puna_event.generated_tokens(event),
                puna_event.queued_ns(event),
                puna_event.prompt_ns(event),
                puna_event.generate_ns(event),
                puna_event.dropped_tokens(event),
                puna_event.drafted_tokens(event),
                puna_event.accepted_tokens(event));
    }

    private static String text(MemorySegment event) {
        return Call.string(puna_event.text(event), puna_event.text_length(event));
    }

    private static NativeEvent.Stop stop(int code) {
        if (code == PunaH.PUNA_STOP_END()) return NativeEvent.Stop.END;
        if (code == PunaH.PUNA_STOP_LENGTH()) return NativeEvent.Stop.LENGTH;
        if (code == PunaH.PUNA_STOP_CONTEXT()) return NativeEvent.Stop.CONTEXT;
        if (code == PunaH.PUNA_STOP_TEXT()) return NativeEvent.Stop.TEXT;
        if (code == PunaH.PUNA_STOP_CANCELLED()) return NativeEvent.Stop.CANCELLED;
        return NativeEvent.Stop.FAILED;
    }
}
