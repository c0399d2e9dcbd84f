// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.UnsupportedModelException;
import dev.puna.bindings.NativeFile;
import dev.puna.bindings.NativeWriter;
import dev.puna.internal.convert.Safetensors.Stored;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A low-rank adapter that PEFT saved, as a GGUF file by llama.cpp's conventions: {@code adapter_config.json} says what
 * it is, {@code adapter_model.safetensors} has a pair of matrices for each layer that it changes. The model's GGUF file
 * says how its tensors lie. What would compute something else than PEFT does is refused by its name.
 */
public final class AdapterConverter {
    /** PEFT's file that says that a folder is an adapter. */
    static final String SETTINGS = "adapter_config.json";

    private static final Pattern NAME =
            Pattern.compile("(?:base_model\\.model\\.)?(.+)\\.lora_([AB])(?:\\.default)?\\.weight");
    private static final List<NumberType> TYPES = List.of(NumberType.F32, NumberType.F16, NumberType.BF16);

    private final Path from;
    private final Path to;
    private final @Nullable NumberType wanted;
    private final @Nullable String name;
    private final LongConsumer progress;

    /**
     * A conversion.
     *
     * @param from a folder that PEFT saved
     * @param to the GGUF file
     * @param wanted type of the matrices, or null for that of the folder
     * @param name of the adapter, or null for the folder's
     * @param progress hears of bytes that were read
     */
    public AdapterConverter(
            Path from, Path to, @Nullable NumberType wanted, @Nullable String name, LongConsumer progress) {
        this.from = from;
        this.to = to;
        this.wanted = wanted;
        this.name = name;
        this.progress = progress;
    }

    /** Whether a folder is an adapter's. */
    static boolean isAdapter(Folder folder) {
        return folder.has(SETTINGS) && !folder.has("config.json");
    }

    /** The two matrices of a layer: y = W x becomes y + scale * B (A x). */
    private record Pair(Names.Place place, Stored a, Stored b, double scale) {
        long rank() {
            return a.shape().getFirst();
        }
    }

    /**
     * Converts.
     *
     * @param base the model that the adapter is for
     * @return what came of it
     */
    public Converter.Outcome run(NativeFile base) {
        Folder folder = Folder.open(from);
        AdapterSettings settings = AdapterSettings.read(folder.json(SETTINGS));
        String architecture = text(base, "general.architecture");
        List<Family> families = Families.named(architecture);
        if (families.isEmpty()) {
            throw new UnsupportedModelException(from + ": adapters for models of the architecture \""
                    + Damage.quote(architecture) + "\" are not converted; a GGUF file of the adapter can be used");
        }
        if (wanted != null && !TYPES.contains(wanted)) {
            throw Damage.unsupported(SETTINGS, "", "an adapter is kept as F32, F16 or BF16, not as " + wanted);
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder, "adapter_model")) {
            Config model = shape(base, architecture);
            Map<String, Stored[]> layers = layers(checkpoint);
            Family family = families.stream() // BERT's kin share an architecture, but not the names of layers
                    .filter(one -> layers.keySet().stream().allMatch(layer -> one.find(layer + ".weight") != null))
                    .findFirst()
                    .orElse(families.getFirst());
            List<Pair> pairs = new ArrayList<>();
            layers.forEach((layer, both) -> pairs.add(pair(layer, both[0], both[1], family, settings)));
            return write(pairs, family, model);
        }
    }

    private static String text(NativeFile base, String key) {
        long index = base.find(key);
        return index < 0 ? "" : base.string(index, 0);
    }

    /** What layouts ask a configuration for, as the model's file has it. */
    private static Config shape(NativeFile base, String architecture) {
        long heads = number(base, architecture + ".attention.head_count", 1);
        long keyHeads = number(base, architecture + ".attention.head_count_kv", heads);
        Map<String, @Nullable Object> map = new HashMap<>();
        map.put("num_attention_heads", heads);
        map.put("num_key_value_heads", keyHeads);
        map.put("num_kv_heads", keyHeads); // Falcon's
        map.put("new_decoder_architecture", true);
        return new Config("the model's file", map);
    }

    private static long number(NativeFile base, String key, long fallback) {
        long index = base.find(key);
        return index < 0 ? fallback : base.integer(index, 0);
    }

    /** A and B by the layer's name, at least of one. */
    private static Map<String, Stored[]> layers(Checkpoint checkpoint) {
        Map<String, Stored[]> found = new TreeMap<>();
        for (Stored stored : checkpoint.tensors().values()) {
            if (stored.name().endsWith(".base_layer.weight")) {
                continue; // the model's own, saved beside an adapter of its output matrix
            }
            Matcher parts = NAME.matcher(stored.name());
            if (!parts.matches()) {
                throw Damage.unsupported(
                        stored.file().name(), stored.name(), "it is no lora_A and no lora_B of a matrix");
            }
            found.computeIfAbsent(parts.group(1), key -> new Stored[2])[
                    parts.group(2).charAt(0) - 'A'] = stored;
        }
        if (found.isEmpty()) {
            throw Damage.in("adapter_model.safetensors", "", "has no tensors");
        }
        return found;
    }

    @SuppressWarnings("NullAway") // one of the two is there
    private static Pair pair(
            String layer, @Nullable Stored a, @Nullable Stored b, Family family, AdapterSettings settings) {
        if (a == null || b == null) {
            Stored there = a == null ? b : a;
            throw Damage.in(there.file().name(), there.name(), "the other one of lora_A and lora_B is missing");
        }
        Names.Place place = family.find(layer + ".weight");
        if (place == null
                || place == Names.DROPPED
                || place.expert() >= 0
                || place.is("gate_up", "token_embd", "shared")) {
            throw Damage.unsupported(
                    a.file().name(),
                    a.name(),
                    "it changes no plain matrix of a model of the architecture " + family.architecture());
        }
        boolean fits = a.shape().size() == 2
                && b.shape().size() == 2
                && a.shape().getFirst() > 0
                && a.shape().getFirst().equals(b.shape().getLast());
        if (!fits) {
            throw Damage.in(
                    a.file().name(), a.name(), "the shapes " + a.shape() + " and " + b.shape() + " are no A and B");
        }
        return new Pair(place, a, b, settings.scale(layer, a.shape().getFirst()));
    }

    private Converter.Outcome write(List<Pair> pairs, Family family, Config model) {
        double alpha = pairs.getFirst().scale() * pairs.getFirst().rank(); // of most, at best of all
        Entries entries = new Entries(family.architecture());
        entries.text("general.architecture", family.architecture());
        entries.text("general.type", "adapter");
        entries.text(
                "general.name",
                name == null ? String.valueOf(from.toAbsolutePath().normalize().getFileName()) : name);
        entries.text("adapter.type", "lora");
        entries.real("adapter.lora.alpha", alpha);
        List<Weight> plan = new ArrayList<>();
        for (Pair pair : pairs) {
            plan.add(Weight.of(pair.place().name() + ".lora_a", pair.a()));
            plan.add(rows(pair, family, model, (float) (pair.scale() * pair.rank() / alpha)));
        }
        try (NativeWriter writer = NativeWriter.create()) {
            entries.write(writer);
            List<NumberType> types = new ArrayList<>();
            for (Weight weight : plan) {
                NumberType type = weight.values() != null
                        ? NumberType.F32
                        : Copier.type(weight.parts().getFirst());
                types.add(wanted == null ? type : wanted);
                writer.tensor(weight.name(), types.getLast().number(), weight.reversedShape());
            }
            writer.begin(to);
            Copier copier = new Copier(writer, progress);
            for (int i = 0; i < plan.size(); i++) {
                copier.copy(plan.get(i), types.get(i));
            }
            writer.end();
        }
        long parameters = plan.stream().mapToLong(Weight::elements).sum();
        return new Converter.Outcome(family.architecture(), types(plan), plan.size(), parameters);
    }

    private NumberType types(List<Weight> plan) {
        return wanted == null ? Copier.type(plan.getFirst().parts().getFirst()) : wanted;
    }

    /** B has the rows of the model's matrix: in GGUF's order. One whose scale differs from the file's is multiplied. */
    private static Weight rows(Pair pair, Family family, Config model, float factor) {
        Weight stored = Weight.of(pair.place().name() + ".lora_b", pair.b());
        Weight shaped = family.shaping().shape(model, pair.place(), stored);
        Weight b = shaped == null || shaped.turned() ? stored : shaped; // PEFT's pairs are never turned
        return factor == 1 ? b : Copier.multiplied(b, factor);
    }
}
