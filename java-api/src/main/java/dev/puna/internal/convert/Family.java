// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A family of models: how its configuration and its tensors become llama.cpp's. A row of {@link Families}. Immutable.
 *
 * @param architecture llama.cpp's name
 * @param classes transformers' names of the models, without what they are for: "Llama" of "LlamaForCausalLM"
 * @param activations of which the configuration may name one; empty: any
 * @param names tables of its tensors' names, tried in order
 * @param parameters writes what is the family's own, after {@link Parameters}
 * @param shaping gives tensors another layout; null drops one
 */
record Family(
        String architecture,
        List<String> classes,
        List<String> activations,
        List<Names> names,
        Writing parameters,
        Shaping shaping) {

    /** Writes metadata. */
    interface Writing {
        void write(Config config, Entries entries);
    }

    /** What llama.cpp wants of a tensor. */
    interface Shaping {
        @Nullable
        Weight shape(Config config, Names.Place place, Weight weight);
    }

    /** As it is stored. */
    static final Shaping AS_STORED = (config, place, weight) -> weight;

    /** Nothing more. */
    static final Writing NOTHING = (config, entries) -> {};

    Names.@Nullable Place find(String tensor) {
        for (Names table : names) {
            Names.Place place = table.find(tensor);
            if (place != null) {
                return place;
            }
        }
        return null;
    }

    /** What the configuration says that the family has no way to say: better no file than one that computes amiss. */
    void refuse(Config config, String model) {
        for (String name : List.of("hidden_act", "hidden_activation", "activation_function")) {
            String said = config.text(name);
            if (said != null && !activations.isEmpty() && !activations.contains(said)) {
                throw Damage.unsupported(
                        config.file(),
                        name,
                        "\"" + Damage.quote(said) + "\" is not what " + model + " has in GGUF: "
                                + String.join(", ", activations));
            }
        }
        for (Map.Entry<String, Object> row : NEVER.entrySet()) {
            if (row.getValue().equals(config.value(row.getKey()))) {
                throw Damage.unsupported(config.file(), row.getKey(), "true is nothing that GGUF has a way to say");
            }
        }
        if (config.has("quantization_config")) {
            throw Damage.unsupported(
                    config.file(),
                    "quantization_config",
                    "the weights are quantized already; convert the folder of the model that was quantized");
        }
    }

    private static final Map<String, Object> NEVER = Map.of(
            "alibi", true,
            "scale_attn_by_inverse_layer_idx", true,
            "is_cross_attention", true);
}
