// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.PunaException;
import dev.puna.bindings.NativeFile;
import dev.puna.bindings.NativeWriter;
import dev.puna.internal.Core;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One conversion. {@link #run()} is called once, on any thread; progress and cancelling are any thread's. */
public final class Converter {
    private static final Pattern LICENSE = Pattern.compile("(?m)^license:\\s*['\"]?([\\w.+-]{1,64})['\"]?\\s*$");
    private static final int QUANTIZATION_VERSION = 2;

    private final Path from;
    private final Path to;
    private final @Nullable NumberType wanted;
    private final @Nullable String name;
    private final @Nullable String pre;
    private final @Nullable Path base;
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong total = new AtomicLong();
    private volatile boolean cancelled;

    /**
     * What came of it.
     *
     * @param architecture llama.cpp's name
     * @param type of most weights
     * @param tensors how many
     * @param parameters how many numbers
     */
    public record Outcome(String architecture, NumberType type, int tensors, long parameters) {}

    /**
     * A conversion.
     *
     * @param from a folder
     * @param to the GGUF file
     * @param wanted type of the matrices, or null for that of the folder
     * @param name of the model, or null for the folder's
     * @param pre tokenizer.ggml.pre, or null for what the tokenizer's definition gives
     * @param base of an adapter: the GGUF file of the model that it is for
     */
    public Converter(
            Path from,
            Path to,
            @Nullable NumberType wanted,
            @Nullable String name,
            @Nullable String pre,
            @Nullable Path base) {
        this.from = from;
        this.to = to;
        this.wanted = wanted;
        this.name = name;
        this.pre = pre;
        this.base = base;
    }

    /** {@return bytes of weights that were read} */
    public long done() {
        return done.get();
    }

    /** {@return bytes of weights in all; 0 before it is known} */
    public long total() {
        return total.get();
    }

    /** Makes {@link #run()} end soon, without a file. */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Converts.
     *
     * @return what came of it
     */
    public Outcome run() {
        Folder folder = Folder.open(from);
        if (AdapterConverter.isAdapter(folder)) {
            return runAdapter();
        }
        Config config = config(folder);
        Family family = Families.of(config);
        family.refuse(config, family.classes().getFirst());
        try (Checkpoint checkpoint = Checkpoint.open(folder, "model")) {
            List<Weight> plan = Plan.of(config, family, checkpoint);
            return write(folder, config, family, plan);
        }
    }

    private Outcome runAdapter() {
        if (base == null) {
            throw Damage.unsupported(
                    AdapterConverter.SETTINGS,
                    "",
                    "the folder is an adapter's: it is converted for a model, whose GGUF file must be named");
        }
        Core.load();
        checkCancelled();
        try (NativeFile model = NativeFile.open(base)) {
            LongConsumer progress = bytes -> {
                total.addAndGet(bytes);
                done.addAndGet(bytes);
                checkCancelled();
            };
            return new AdapterConverter(from, to, wanted, name, progress).run(model);
        }
    }

    /** A model that sees and reads keeps the text's configuration one level deeper. */
    static Config config(Folder folder) {
        Config config = folder.json("config.json");
        if (config.has("text_config")) {
            Config text = config.object("text_config");
            if (config.text("model_type", "").equals("gemma3")) {
                text = Families.gemma3Defaults(text);
            }
            config = config.with(new Config(config.file(), without(text, "architectures")));
        }
        for (Object module : modules(folder)) {
            Config row = Config.of("modules.json", "", module);
            String path = row.text("path", "");
            if (row.text("type", "").endsWith("Pooling") && path.matches("[\\w-]{1,64}")) {
                Config how = folder.json(path + "/config.json");
                return config.with(new Config(config.file(), Map.of(Encoders.POOLING, how.map())));
            }
        }
        return config;
    }

    private static Map<String, @Nullable Object> without(Config config, String field) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>(config.map());
        map.remove(field);
        return map;
    }

    private static List<?> modules(Folder folder) {
        if (!folder.has("modules.json")) {
            return List.of();
        }
        try {
            return dev.puna.internal.json.Json.parse(folder.text("modules.json")) instanceof List<?> list
                    ? list
                    : List.of();
        } catch (IllegalArgumentException e) {
            throw Damage.in("modules.json", "", String.valueOf(e.getMessage()));
        }
    }

    private Outcome write(Folder folder, Config config, Family family, List<Weight> plan) {
        NumberType type = wanted == null ? own(plan) : wanted;
        Entries entries = new Entries(family.architecture());
        long parameters = plan.stream().mapToLong(Weight::elements).sum();
        describe(folder, config, family, entries, plan, type);
        Weight table = Plan.find(plan, "token_embd.weight");
        if (table == null || table.shape().size() != 2 || table.shape().getFirst() > 1 << 24) {
            throw Damage.in("config.json", "vocab_size", "the embeddings are no table of at most 2^24 tokens");
        }
        int size = table.shape().getFirst().intValue();
        new Vocabulary(folder, config, family.architecture(), size, pre, entries).write();
        Core.load();
        try (NativeWriter writer = NativeWriter.create()) {
            entries.write(writer);
            List<NumberType> types = new ArrayList<>();
            for (Weight weight : plan) {
                NumberType each = type(weight, type, Plan.find(plan, "output.weight") == null);
                types.add(each);
                writer.tensor(weight.name(), each.number(), weight.reversedShape());
            }
            copy(plan, types, writer);
        }
        return new Outcome(family.architecture(), type, plan.size(), parameters);
    }

    private void copy(List<Weight> plan, List<NumberType> types, NativeWriter writer) {
        total.set(plan.stream().mapToLong(Converter::bytes).sum());
        checkCancelled();
        writer.begin(to);
        Copier copier = new Copier(writer, bytes -> {
            done.addAndGet(bytes);
            checkCancelled();
        });
        for (int i = 0; i < plan.size(); i++) {
            copier.copy(plan.get(i), types.get(i));
        }
        writer.end();
    }

    private void checkCancelled() {
        if (cancelled) {
            throw new PunaException("the conversion was cancelled; there is no file " + to);
        }
    }

    private static long bytes(Weight weight) {
        return weight.parts().isEmpty()
                ? 0
                : weight.elements() * weight.parts().getFirst().size();
    }

    /** The type of the first matrix. */
    private static NumberType own(List<Weight> plan) {
        for (Weight weight : plan) {
            if (weight.shape().size() > 1 && !weight.parts().isEmpty()) {
                return Copier.type(weight.parts().getFirst());
            }
        }
        return NumberType.F16;
    }

    /**
     * Vectors, norms, positions and what chooses experts are F32, as llama.cpp wants them. Rows that are no whole
     * blocks are F16; in a file of 4 or 5 bits the output matrix has 8, since rounding shows most there.
     */
    private static NumberType type(Weight weight, NumberType wanted, boolean tied) {
        String name = weight.name();
        if (weight.shape().size() < 2
                || name.endsWith("_norm.weight")
                || !name.endsWith(".weight")
                || name.endsWith("ffn_gate_inp.weight")
                || name.endsWith("ffn_gate_inp_shexp.weight")
                || name.endsWith("conv1d.weight")
                || name.endsWith("shortconv.conv.weight")
                || name.equals("position_embd.weight")
                || name.equals("token_types.weight")) {
            return NumberType.F32;
        }
        if (wanted.isQuantized() && weight.shape().getLast() % wanted.length() != 0) {
            return NumberType.F16;
        }
        boolean last = name.equals("output.weight") || tied && name.equals("token_embd.weight");
        return last && wanted.isQuantized() ? NumberType.Q8_0 : wanted;
    }

    private void describe(Folder folder, Config config, Family family, Entries e, List<Weight> plan, NumberType type) {
        e.text("general.architecture", family.architecture());
        e.text("general.type", "model");
        sampling(folder.optional("generation_config.json"), e);
        e.text("general.name", name == null ? title(folder, config) : name);
        e.text("general.size_label", sizeLabel(plan));
        Matcher license = LICENSE.matcher(folder.front("README.md"));
        if (license.find()) {
            e.text("general.license", license.group(1));
        }
        Parameters.write(config, e);
        family.parameters().write(config, e);
        e.unsigned("general.file_type", type.fileType());
        e.unsigned("general.quantization_version", QUANTIZATION_VERSION);
    }

    private static void sampling(Config generation, Entries e) {
        if (generation.has("top_k")) {
            e.integer("general.sampling.top_k", generation.integer("top_k"));
        }
        List<List<String>> names = List.of(
                List.of("top_p", "top_p"),
                List.of("min_p", "min_p"),
                List.of("temperature", "temp"),
                List.of("repetition_penalty", "penalty_repeat"));
        for (List<String> pair : names) {
            if (generation.has(pair.get(0))) {
                e.real("general.sampling." + pair.get(1), generation.real(pair.get(0)));
            }
        }
    }

    /** "SmolLM2 135M Instruct" of "HuggingFaceTB/SmolLM2-135M-Instruct", or of the folder's name. */
    private static String title(Folder folder, Config config) {
        String id = config.text("_name_or_path", "");
        if (id.isEmpty() || !id.matches("[\\w.-]+(/[\\w.-]+)?")) {
            Path last = folder.path().toAbsolutePath().normalize().getFileName();
            id = last == null ? "model" : last.toString();
        }
        StringBuilder title = new StringBuilder();
        for (String word : id.substring(id.indexOf('/') + 1).split("-")) {
            boolean lower = word.equals(word.toLowerCase(Locale.ROOT)) && !word.matches("v?\\d.*");
            title.append(title.isEmpty() ? "" : " ").append(lower ? capital(word) : word);
        }
        return title.toString();
    }

    /** Each run of letters with a capital. */
    private static String capital(String word) {
        return Pattern.compile("\\p{L}+")
                .matcher(word)
                .replaceAll(run -> run.group().substring(0, 1).toUpperCase(Locale.ROOT)
                        + run.group().substring(1));
    }

    /** "135M", or "8x7B" of experts: what one token meets of the one expert, and how many there are. */
    private static String sizeLabel(List<Weight> plan) {
        long shared = 0;
        long expert = 0;
        long count = 0;
        for (Weight weight : plan) {
            if (weight.name().contains("_exps.")) {
                count = weight.shape().getFirst();
                expert += weight.elements() / count;
            } else {
                shared += weight.elements();
            }
        }
        return (count > 0 ? count + "x" : "") + sizeLabel(shared + expert);
    }

    /** "135M". */
    static String sizeLabel(long parameters) {
        String[] units = {"K", "M", "B", "T"};
        double scaled = parameters / 1e3;
        int unit = 0;
        while (scaled > 1e3 && unit < units.length - 1) {
            scaled /= 1e3;
            unit++;
        }
        int digits = String.valueOf(Math.round(scaled)).replaceFirst("^0+", "").length();
        return String.format(Locale.ROOT, "%." + Math.max(2 - digits, 0) + "f%s", scaled, units[unit]);
    }
}
