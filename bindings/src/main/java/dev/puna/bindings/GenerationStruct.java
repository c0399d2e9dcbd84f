// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_bias;
import dev.puna.bindings.gen.puna_generation;
import dev.puna.bindings.gen.puna_stage;
import dev.puna.bindings.gen.puna_text;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** A generation as the core reads it. */
final class GenerationStruct {
    private GenerationStruct() {}

    /** As long as the call; the grammar and the adapters, which must be in use meanwhile, are the caller's to add. */
    static MemorySegment write(Call call, NativeGeneration from) {
        MemorySegment to = call.struct(puna_generation.layout());
        PunaH.puna_generation_default(to);
        puna_generation.max_tokens(to, from.maxTokens());
        puna_generation.seed(to, from.seed());
        puna_generation.logprobs(to, from.logprobs() ? 1 : 0);
        puna_generation.top_logprobs(to, from.topLogprobs());
        puna_generation.flags(
                to,
                (from.ignoreEos() ? PunaH.PUNA_GENERATE_IGNORE_EOS() : 0)
                        | (from.shown() ? PunaH.PUNA_GENERATE_LOGITS() : 0)
                        | (from.drafts() ? 0 : PunaH.PUNA_GENERATE_NO_DRAFTS())
                        | (from.keep() >= 0 ? PunaH.PUNA_GENERATE_SHIFT() : 0));
        puna_generation.keep(to, Math.max(0, from.keep()));
        puna_generation.stage_count(to, from.stages().size());
        if (!from.stages().isEmpty()) {
            puna_generation.stages(to, stages(call, from.stages()));
        }
        puna_generation.stop_count(to, from.stops().size());
        if (!from.stops().isEmpty()) {
            puna_generation.stops(to, texts(call, from.stops()));
        }
        puna_generation.breaker_count(to, from.breakers().size());
        if (!from.breakers().isEmpty()) {
            puna_generation.breakers(to, texts(call, from.breakers()));
        }
        puna_generation.bias_count(to, from.biases().size());
        if (!from.biases().isEmpty()) {
            puna_generation.biases(to, biases(call, from.biases()));
        }
        NativeBeams beams = from.beams();
        if (beams != null) {
            puna_generation.beams(to, beams.width());
            puna_generation.length_penalty(to, beams.lengthPenalty());
            puna_generation.early_stopping(to, beams.stop().code());
        }
        return to;
    }

    private static MemorySegment biases(Call call, Map<Integer, Float> from) {
        MemorySegment to = call.allocate(puna_bias.layout(), from.size());
        int i = 0;
        for (Map.Entry<Integer, Float> one : from.entrySet()) {
            MemorySegment slot = puna_bias.asSlice(to, i++);
            puna_bias.id(slot, one.getKey());
            puna_bias.value(slot, one.getValue());
        }
        return to;
    }

    private static MemorySegment stages(Call call, List<NativeStage> from) {
        MemorySegment to = call.allocate(puna_stage.layout(), from.size());
        for (int i = 0; i < from.size(); i++) {
            NativeStage stage = from.get(i);
            MemorySegment slot = puna_stage.asSlice(to, i);
            puna_stage.kind(slot, stage.kind().code());
            puna_stage.value(slot, stage.value());
            puna_stage.window(slot, stage.window());
            puna_stage.repeat(slot, stage.repeat());
            puna_stage.frequency(slot, stage.frequency());
            puna_stage.presence(slot, stage.presence());
            puna_stage.threshold(slot, stage.threshold());
            puna_stage.rate(slot, stage.rate());
            puna_stage.base(slot, stage.base());
            puna_stage.allowed_length(slot, stage.allowedLength());
            puna_stage.range(slot, stage.range());
            puna_stage.exponent(slot, stage.exponent());
            puna_stage.decay(slot, stage.decay());
        }
        return to;
    }

    private static MemorySegment texts(Call call, List<String> from) {
        MemorySegment to = call.allocate(puna_text.layout(), from.size());
        for (int i = 0; i < from.size(); i++) {
            byte[] utf8 = from.get(i).getBytes(StandardCharsets.UTF_8);
            MemorySegment slot = puna_text.asSlice(to, i);
            puna_text.text(slot, call.text(utf8));
            puna_text.length(slot, utf8.length);
        }
        return to;
    }
}
