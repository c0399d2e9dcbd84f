// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What {@code adapter_config.json} says of a LoRA adapter: how its products are scaled. Everything that would make it
 * something else than a pair of matrices a layer is refused by its name. Immutable.
 */
final class AdapterSettings {
    /** Patterns are PEFT's regular expressions; from outside, so only those that can't take long are tried. */
    private static final Pattern PATTERN =
            Pattern.compile("\\^?(?:[\\w.-]|\\\\[.d])*(?:\\.\\*(?:[\\w.-]|\\\\[.d])*){0,2}\\$?");

    private static final int LONGEST = 256;

    private final Config config;
    private final double alpha;
    private final boolean stable;

    private AdapterSettings(Config config) {
        this.config = config;
        this.alpha = config.real("lora_alpha", 8);
        this.stable = config.truth("use_rslora", false);
    }

    static AdapterSettings read(Config config) {
        String kind = config.text("peft_type", "LORA");
        if (!kind.equals("LORA")) {
            throw Damage.unsupported(
                    config.file(), "peft_type", "\"" + Damage.quote(kind) + "\" is not converted; LORA is");
        }
        for (String field : new String[] {"use_dora", "lora_bias", "use_qalora", "use_bdlora"}) {
            if (Boolean.TRUE.equals(config.value(field))) {
                throw Damage.unsupported(config.file(), field, "true is nothing that a GGUF adapter has a way to say");
            }
        }
        for (String field : new String[] {
            "modules_to_save",
            "target_parameters",
            "trainable_token_indices",
            "layer_replication",
            "alora_invocation_tokens",
            "arrow_config"
        }) {
            Object value = config.value(field);
            boolean none = value == null
                    || value instanceof List<?> list && list.isEmpty()
                    || value instanceof Map<?, ?> map && map.isEmpty();
            if (!none) {
                throw Damage.unsupported(config.file(), field, "it is nothing that a GGUF adapter has a way to say");
            }
        }
        String bias = config.text("bias", "none");
        if (!bias.equals("none")) {
            throw Damage.unsupported(
                    config.file(), "bias", "\"" + Damage.quote(bias) + "\": trained biases are not converted");
        }
        AdapterSettings settings = new AdapterSettings(config);
        for (String key : config.object("alpha_pattern").map().keySet()) {
            if (key.length() > LONGEST || !PATTERN.matcher(key).matches()) {
                throw Damage.unsupported(config.file(), "alpha_pattern: " + key, "such patterns are not read");
            }
        }
        return settings;
    }

    /** What the products of a layer's pair are multiplied by. */
    double scale(String layer, long rank) {
        Config patterns = config.object("alpha_pattern");
        double of = alpha;
        for (String key : patterns.map().keySet()) {
            if (Pattern.matches("(?:.*\\.)?(?:" + key + ")", layer)) {
                of = patterns.real(key);
                break;
            }
        }
        double scale = of / (stable ? Math.sqrt(rank) : rank);
        if (!Double.isFinite(scale) || scale == 0) {
            throw config.wrong("lora_alpha", "gives a scale of " + scale);
        }
        return scale;
    }
}
