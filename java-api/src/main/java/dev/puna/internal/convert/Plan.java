// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.internal.convert.Names.Place;
import dev.puna.internal.convert.Safetensors.Stored;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which tensors a GGUF file gets of a checkpoint. */
final class Plan {
    /** The parts of a model that sees and reads: the text's alone is converted. */
    private static final List<String> SEEING = List.of("vision_tower.", "multi_modal_projector.", "vision_model.");

    private final Config config;
    private final Family family;
    private final Checkpoint checkpoint;
    private final List<Weight> weights = new ArrayList<>();
    private final Map<String, Map<Integer, Stored>> experts = new LinkedHashMap<>();
    private final Set<String> names = new HashSet<>();
    private final Set<Integer> blocks = new TreeSet<>();

    private Plan(Config config, Family family, Checkpoint checkpoint) {
        this.config = config;
        this.family = family;
        this.checkpoint = checkpoint;
    }

    static List<Weight> of(Config config, Family family, Checkpoint checkpoint) {
        Plan plan = new Plan(config, family, checkpoint);
        plan.addFactors();
        checkpoint.tensors().values().forEach(plan::add);
        plan.experts.forEach(plan::addExperts);
        plan.checkWhole();
        return plan.weights;
    }

    private void addFactors() {
        Config rope = Parameters.rope(config);
        if (rope.text("rope_type", rope.text("type", "")).equals("llama3")) {
            double base = Parameters.base(config);
            int dim = Parameters.headWidth(config);
            keep(Weight.computed(
                    "rope_freqs.weight", Layouts.llama3Factors(rope, dim, Double.isNaN(base) ? 10000 : base)));
        }
    }

    private void add(Stored stored) {
        if (SEEING.stream().anyMatch(stored.name()::contains)) {
            return;
        }
        Place place = family.find(stored.name());
        if (place == null) {
            throw Damage.unsupported(
                    stored.file().name(),
                    stored.name(),
                    "the tensor has no place in a model of the architecture " + family.architecture());
        }
        if (place == Names.DROPPED) {
            return;
        }
        if (place.block() >= 0) {
            blocks.add(place.block());
        }
        if (place.expert() >= 0) {
            Map<Integer, Stored> all = experts.computeIfAbsent(place.name(), name -> new TreeMap<>());
            if (all.put(place.expert(), stored) != null) {
                throw Damage.in(stored.file().name(), stored.name(), "it is there twice, under two names");
            }
        } else if (place.is("gate_up")) {
            addHalves(place, Weight.of(place.name(), stored), "_exps");
        } else if (place.is("gate_up_shared")) {
            addHalves(place, Weight.of(place.name(), stored), Recurrent.shared(config));
        } else {
            addShaped(place, Weight.of(place.name(), stored));
        }
    }

    private void addHalves(Place place, Weight both, String end) {
        String block = "blk." + place.block();
        keep(Layouts.half(both, 0).named(block + ".ffn_gate" + end + ".weight"));
        keep(Layouts.half(both, 1).named(block + ".ffn_up" + end + ".weight"));
    }

    private void addShaped(Place place, Weight weight) {
        if (place.is("shared")
                && !checkpoint.tensors().containsKey("shared.weight")
                && !names.contains("token_embd.weight")) {
            keep(weight.named("token_embd.weight"));
            return;
        }
        Weight shaped = family.shaping().shape(config, place, weight);
        if (shaped != null) {
            keep(shaped);
        }
    }

    private void addExperts(String name, Map<Integer, Stored> all) {
        int next = 0;
        for (Map.Entry<Integer, Stored> expert : all.entrySet()) {
            if (expert.getKey() != next++) {
                throw Damage.in(
                        expert.getValue().file().name(),
                        expert.getValue().name(),
                        "number " + (next - 1) + " is missing");
            }
        }
        String count = config.first("num_local_experts", "num_experts");
        if (name.contains("_exps.") && count != null && config.integer(count) != next) {
            throw config.wrong(count, "is " + config.integer(count) + ", but " + name + " has " + next);
        }
        keep(Weight.stacked(name, List.copyOf(all.values())));
    }

    private void keep(Weight weight) {
        if (!names.add(weight.name())) {
            throw Damage.in(where(weight), stem(weight), "a second tensor would be called " + weight.name());
        }
        if (weight.shape().size() > 4 || weight.elements() == 0) {
            throw Damage.in(where(weight), stem(weight), "its shape " + weight.shape() + " is nothing GGUF can hold");
        }
        weights.add(weight);
    }

    private static String where(Weight weight) {
        return weight.parts().isEmpty()
                ? "config.json"
                : weight.parts().getFirst().file().name();
    }

    private static String stem(Weight weight) {
        return weight.parts().isEmpty()
                ? weight.name()
                : weight.parts().getFirst().name();
    }

    private void checkWhole() {
        if (!names.contains("token_embd.weight")) {
            throw Damage.in(where(), "", "it has no embeddings: no tensor that would be token_embd.weight");
        }
        int layers = Parameters.layers(config);
        if (!family.architecture().startsWith("t5") && (blocks.size() != layers || !blocks.contains(layers - 1))) {
            throw config.wrong(
                    String.valueOf(config.first(Parameters.LAYERS)),
                    "is " + layers + ", but the weights have " + blocks.size() + " layers"
                            + (blocks.size() < layers ? "; a part is missing" : ""));
        }
    }

    private String where() {
        return checkpoint.tensors().isEmpty()
                ? "model.safetensors"
                : checkpoint.tensors().values().iterator().next().file().name();
    }

    /** A tensor of the plan, or null. */
    static @Nullable Weight find(List<Weight> plan, String name) {
        return plan.stream()
                .filter(weight -> weight.name().equals(name))
                .findFirst()
                .orElse(null);
    }
}
