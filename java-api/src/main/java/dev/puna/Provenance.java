// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeGrammar;
import dev.puna.bindings.NativeLibrary;
import dev.puna.internal.RecordJson;
import dev.puna.internal.engine.Generation;
import java.util.List;

/**
 * Where a context's tokens come from, for replay records. Holds no context and no model, so that a reply keeps neither
 * alive. Immutable.
 *
 * @param model the model's properties
 * @param path its file
 * @param contextLength of the context
 * @param cacheType of the context
 */
record Provenance(ModelInfo model, String path, int contextLength, CacheType cacheType) {
    ReplayRecord record(Generation generation, int[] tokens, StopReason stop) {
        NativeGrammar grammar = generation.settings().grammar();
        return new ReplayRecord(new RecordJson.Content(
                NativeLibrary.version(),
                NativeLibrary.arithmeticVersion(),
                model.name(),
                path,
                model.fingerprint(),
                contextLength,
                cacheType.name(),
                generation.settings().adapted(List.of()),
                grammar == null ? "" : grammar.text(),
                generation.settings().adapters().stream()
                        .map(RecordJson.Adapted::of)
                        .toList(),
                generation.ids(),
                tokens,
                stop.name()));
    }
}
