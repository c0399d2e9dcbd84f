// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.puna_input;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What an encoder reads: a text, or a pair of texts.
 *
 * @param ids its tokens
 * @param types of each token
 */
@SuppressWarnings("ArrayRecordComponent")
public record NativeInput(int[] ids, int[] types) {
    /** As the core reads them; as long as the call. */
    static MemorySegment in(Call call, List<NativeInput> from) {
        MemorySegment to = call.allocate(puna_input.layout(), Math.max(1, from.size()));
        for (int i = 0; i < from.size(); i++) {
            NativeInput one = from.get(i);
            MemorySegment slot = puna_input.asSlice(to, i);
            puna_input.ids(slot, call.ints(one.ids));
            puna_input.types(slot, one.types.length == 0 ? MemorySegment.NULL : call.ints(one.types));
            puna_input.count(slot, one.ids.length);
        }
        return to;
    }
}
