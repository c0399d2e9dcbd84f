// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeBeams;
import dev.puna.bindings.NativeGeneration;
import dev.puna.bindings.NativeStage;
import dev.puna.internal.json.Fields;
import dev.puna.internal.json.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A replay record as JSON. 64-bit numbers stand as texts, since many readers of JSON keep but 53 bits. What is read is
 * checked for form here; the core checks the values.
 */
public final class RecordJson {
    private static final int VERSION = 1;

    private RecordJson() {}

    /**
     * What a record holds.
     *
     * @param library the library's version
     * @param arithmetic the contract's version
     * @param modelName may be empty
     * @param modelPath where its file was
     * @param fingerprint the model's
     * @param contextLength positions
     * @param cacheType a name of CacheType
     * @param settings what was asked for; of one that is read, without its grammar
     * @param grammar its text; empty if there was none
     * @param adapters what changed the model, in order
     * @param prompt ids before the answer
     * @param tokens generated ids
     * @param stop a name of StopReason
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Content(
            String library,
            int arithmetic,
            String modelName,
            String modelPath,
            long fingerprint,
            int contextLength,
            String cacheType,
            NativeGeneration settings,
            String grammar,
            List<Adapted> adapters,
            int[] prompt,
            int[] tokens,
            String stop) {}

    /**
     * An adapter that was used. A record holds no adapter itself.
     *
     * @param name what its file calls it; may be empty
     * @param fingerprint of all that its file says
     * @param weight what it counted
     */
    public record Adapted(String name, long fingerprint, float weight) {
        /** Of one that a generation uses. */
        public static Adapted of(NativeAdapter.Use use) {
            NativeAdapter.Info info = use.adapter().info();
            return new Adapted(info.name(), info.fingerprint(), use.weight());
        }
    }

    /**
     * Writes.
     *
     * @param c what to write
     * @return one line of JSON
     */
    public static String write(Content c) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("puna_replay", VERSION);
        all.put("library", c.library());
        all.put("arithmetic", c.arithmetic());
        all.put(
                "model",
                object("name", c.modelName(), "fingerprint", Long.toHexString(c.fingerprint()), "path", c.modelPath()));
        all.put("context", object("length", c.contextLength(), "cache", c.cacheType()));
        all.put("generation", generation(c.settings(), c.grammar(), c.adapters()));
        all.put("prompt", Arrays.stream(c.prompt()).boxed().toList());
        all.put("tokens", Arrays.stream(c.tokens()).boxed().toList());
        all.put("stop", c.stop());
        return Json.write(all);
    }

    private static Map<String, Object> generation(NativeGeneration g, String grammar, List<Adapted> adapters) {
        List<Object> stages = new ArrayList<>();
        for (NativeStage s : g.stages()) {
            stages.add(object(
                    "kind", s.kind().name(),
                    "value", s.value(),
                    "window", s.window(),
                    "repeat", s.repeat(),
                    "frequency", s.frequency(),
                    "presence", s.presence(),
                    "threshold", s.threshold(),
                    "rate", s.rate(),
                    "base", s.base(),
                    "allowed_length", s.allowedLength(),
                    "range", s.range(),
                    "exponent", s.exponent(),
                    "decay", s.decay()));
        }
        List<Object> biases = new ArrayList<>();
        new TreeMap<>(g.biases()).forEach((id, value) -> biases.add(object("id", id, "value", bias(value))));
        Map<String, Object> all = object(
                "max_tokens", g.maxTokens(),
                "seed", Long.toString(g.seed()),
                "stages", stages,
                "stops", g.stops(),
                "ignore_end", g.ignoreEos(),
                "biases", biases,
                "breakers", g.breakers(),
                "grammar", grammar,
                "keep", g.keep(),
                "logits_hook", g.shown(),
                "beams", beams(g.beams()));
        if (!adapters.isEmpty()) {
            List<Object> used = new ArrayList<>();
            adapters.forEach(a -> used.add(object(
                    "name", a.name(),
                    "fingerprint", Long.toHexString(a.fingerprint()),
                    "weight", a.weight())));
            all.put("adapters", used);
        }
        return all;
    }

    private static List<Adapted> adapters(Fields generation) {
        List<Adapted> all = new ArrayList<>();
        if (generation.has("adapters")) {
            for (Fields one : generation.list("adapters")) {
                all.add(new Adapted(one.text("name"), one.hexadecimal("fingerprint"), one.real("weight")));
            }
        }
        return List.copyOf(all);
    }

    private static @Nullable Object beams(@Nullable NativeBeams b) {
        return b == null
                ? null
                : object(
                        "width",
                        b.width(),
                        "length_penalty",
                        b.lengthPenalty(),
                        "early_stopping",
                        b.stop().name());
    }

    /** Records from before there were beams have none. */
    private static @Nullable NativeBeams beams(Fields g) {
        if (!g.has("beams") || g.isNull("beams")) {
            return null;
        }
        Fields b = g.fields("beams");
        return new NativeBeams(
                b.integer("width"), b.real("length_penalty"), NativeBeams.Stop.valueOf(b.text("early_stopping")));
    }

    /** JSON has no infinity: a ban is null. */
    private static @Nullable Float bias(float value) {
        return value == Float.NEGATIVE_INFINITY ? null : value;
    }

    private static Map<String, Object> object(@Nullable Object... namesAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return map;
    }

    /**
     * Reads.
     *
     * @param json one value
     * @return what it holds
     * @throws IllegalArgumentException if it is no record: says why
     */
    public static Content parse(String json) {
        Fields all = new Fields("", Json.parse(json));
        all.needVersion("puna_replay", VERSION);
        Fields model = all.fields("model");
        Fields context = all.fields("context");
        return new Content(
                all.text("library"),
                all.integer("arithmetic"),
                model.text("name"),
                model.text("path"),
                model.hexadecimal("fingerprint"),
                context.integer("length"),
                context.text("cache"),
                generation(all.fields("generation")),
                all.fields("generation").text("grammar"),
                adapters(all.fields("generation")),
                all.integers("prompt"),
                all.integers("tokens"),
                all.text("stop"));
    }

    private static NativeGeneration generation(Fields g) {
        List<NativeStage> stages = new ArrayList<>();
        for (Fields s : g.list("stages")) {
            stages.add(new NativeStage(
                    NativeStage.Kind.valueOf(s.text("kind")),
                    s.real("value"),
                    s.integer("window"),
                    s.real("repeat"),
                    s.real("frequency"),
                    s.real("presence"),
                    s.real("threshold"),
                    s.real("rate"),
                    s.real("base"),
                    s.integer("allowed_length"),
                    s.real("range"),
                    s.real("exponent"),
                    s.real("decay")));
        }
        Map<Integer, Float> biases = new TreeMap<>();
        for (Fields bias : g.list("biases")) {
            biases.put(bias.integer("id"), bias.isNull("value") ? Float.NEGATIVE_INFINITY : bias.real("value"));
        }
        return NativeGeneration.of(c -> {
            c.maxTokens = g.integer("max_tokens");
            c.seed = g.decimal("seed");
            c.stages = stages;
            c.stops = g.texts("stops");
            c.ignoreEos = g.truth("ignore_end");
            c.biases = biases;
            c.breakers = g.texts("breakers");
            c.keep = g.integer("keep");
            c.shown = g.truth("logits_hook");
            c.beams = beams(g);
        });
    }
}
