// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.MemoryPlan;
import dev.puna.ModelFile;
import dev.puna.PunaException;
import dev.puna.store.ModelReference;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code puna info REF}: from the file's header; no weight is loaded, and what Puna cannot run is shown as well. */
@Command(name = "info", description = "Show what a model's file holds and what memory it would need.")
final class InfoCommand implements Callable<Integer> {
    private static final int SHOWN = 6; // elements of an array in a table
    private static final int WIDTH = 100; // characters of a value in a table

    private final Streams streams;

    @Parameters(
            arity = "0..1",
            paramLabel = "REF",
            defaultValue = ModelOption.DEFAULT,
            converter = ModelOption.Converter.class,
            description = "Which model (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private ModelReference reference;

    @Option(names = "--json", description = "One JSON object; arrays are whole.")
    private boolean json;

    @Mixin
    private final PlanOptions wanted = new PlanOptions();

    InfoCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        wanted.check();
        try (ModelFile file = ModelFile.open(new Models(streams).file(reference))) {
            MemoryPlan plan = null;
            String unfit = "";
            try {
                plan = file.plan(wanted::apply);
            } catch (PunaException e) {
                unfit = String.valueOf(e.getMessage());
            }
            if (json) {
                Json.print(streams.out(), asJson(file, plan, unfit));
            } else {
                print(file, plan, unfit, streams.out());
            }
        }
        return 0;
    }

    private void print(ModelFile file, @Nullable MemoryPlan plan, String unfit, PrintStream out) {
        out.println(file.path() + ": GGUF " + file.version() + ", " + Units.bytes(file.size()));
        out.println();
        List<ModelFile.Entry> metadata = file.metadata();
        Table entries = new Table("METADATA (" + metadata.size() + ")", "TYPE", "VALUE");
        metadata.forEach(entry -> entries.row(entry.key(), type(entry), shown(entry)));
        entries.print(out);
        out.println();
        List<ModelFile.Tensor> tensors = file.tensors();
        long elements = tensors.stream().mapToLong(ModelFile.Tensor::elements).sum();
        Table all = new Table(
                "TENSORS (" + tensors.size() + ", " + Units.count(elements) + " weights)", "TYPE", "SHAPE>", "BYTES>");
        tensors.forEach(tensor -> all.row(tensor.name(), tensor.type(), shape(tensor), tensor.bytes()));
        all.print(out);
        out.println();
        if (plan == null) {
            out.println("MEMORY: it cannot be run: " + Main.oneLine(unfit));
        } else {
            print(plan, out);
        }
    }

    private void print(MemoryPlan plan, PrintStream out) {
        String length = " of " + plan.contextLength() + " positions";
        String who = wanted.parallel() == 1 ? "one sequence" + length : wanted.parallel() + " sequences" + length;
        Table table = new Table("MEMORY for " + who + ", cache in " + wanted.cacheType(), "BYTES>", ">");
        table.row("weights", plan.weights(), Units.bytes(plan.weights()));
        table.row("vocabulary, tables", plan.vocabulary(), Units.bytes(plan.vocabulary()));
        table.row("activations, logits", plan.scratch(), Units.bytes(plan.scratch()));
        table.row("needed at once", plan.base(), Units.bytes(plan.base()));
        table.row("keys and values, as conversations grow", plan.cache(), Units.bytes(plan.cache()));
        table.row("ids, samplers, lists of pages", plan.sequences(), Units.bytes(plan.sequences()));
        boolean within = plan.total() > plan.base() + plan.cache() + plan.sequences(); // it is there to embed
        if (within) {
            table.row("to embed texts", plan.embedding(), Units.bytes(plan.embedding()));
        }
        table.row("together", plan.total(), Units.bytes(plan.total()));
        if (!within && plan.embedding() > 0) {
            table.row("further, to embed texts", plan.embedding(), Units.bytes(plan.embedding()));
        }
        table.row("free now", plan.available(), Units.bytes(plan.available()));
        table.print(out);
        long whole = plan.cachePerPosition() * plan.contextLength() * wanted.parallel();
        if (plan.cache() < whole) {
            out.println("The cache is half of the free memory; all sequences at full length would need "
                    + Units.bytes(whole) + ": some will wait for others.");
        }
    }

    private static String type(ModelFile.Entry entry) {
        return entry.type() == ModelFile.Type.ARRAY
                ? name(entry.elementType()) + "[" + entry.count() + "]"
                : name(entry.type());
    }

    private static String name(ModelFile.Type type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    private static String shape(ModelFile.Tensor tensor) {
        return String.join(" x ", tensor.shape().stream().map(String::valueOf).toList());
    }

    private static String shown(ModelFile.Entry entry) {
        if (entry.type() != ModelFile.Type.ARRAY) {
            return cut(one(entry, 0));
        }
        if (entry.elementType() == ModelFile.Type.ARRAY) {
            return "(arrays)";
        }
        StringBuilder text = new StringBuilder("[");
        for (long i = 0; i < Math.min(SHOWN, entry.count()); i++) {
            text.append(i == 0 ? "" : ", ").append(one(entry, i));
        }
        return cut(text.toString()) + (entry.count() > SHOWN ? ", ...]" : "]");
    }

    private static String one(ModelFile.Entry entry, long element) {
        Object value = value(entry, element);
        if (!(value instanceof String text)) {
            return String.valueOf(value);
        }
        String cut = text.substring(0, Math.min(4 * WIDTH, text.length()));
        return Escapes.of(cut.getBytes(StandardCharsets.UTF_8));
    }

    /** A float is shown with the digits that it has, not those of a double. */
    private static Object value(ModelFile.Entry entry, long element) {
        Object value = entry.value(element);
        return entry.elementType() == ModelFile.Type.FLOAT32 && value instanceof Double number
                ? number.floatValue()
                : value;
    }

    private static String cut(String text) {
        if (text.length() <= WIDTH) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(WIDTH - 4)) ? WIDTH - 4 : WIDTH - 3;
        return text.substring(0, end) + "...";
    }

    private Object asJson(ModelFile file, @Nullable MemoryPlan plan, String unfit) {
        Map<String, Object> all =
                Json.object("path", file.path(), "bytes", file.size(), "gguf_version", file.version());
        all.put("metadata", file.metadata().stream().map(InfoCommand::asJson).toList());
        all.put(
                "tensors",
                file.tensors().stream()
                        .map(tensor -> Json.object(
                                "name", tensor.name(),
                                "type", tensor.type(),
                                "shape", tensor.shape(),
                                "offset", tensor.offset(),
                                "bytes", tensor.bytes()))
                        .toList());
        all.put("memory", plan == null ? Json.object("error", Main.oneLine(unfit)) : asJson(plan));
        return all;
    }

    private Object asJson(MemoryPlan plan) {
        return Json.object(
                "context_length", plan.contextLength(),
                "parallel", wanted.parallel(),
                "cache_type", wanted.cacheType(),
                "weights", plan.weights(),
                "cache_per_position", plan.cachePerPosition(),
                "cache", plan.cache(),
                "scratch", plan.scratch(),
                "vocabulary", plan.vocabulary(),
                "sequences", plan.sequences(),
                "embedding", plan.embedding(),
                "base", plan.base(),
                "total", plan.total(),
                "available", plan.available(),
                "fits", plan.fits());
    }

    private static Object asJson(ModelFile.Entry entry) {
        Map<String, Object> all = Json.object("key", entry.key(), "type", name(entry.type()));
        if (entry.type() != ModelFile.Type.ARRAY) {
            all.put("value", value(entry, 0));
            return all;
        }
        all.put("element_type", name(entry.elementType()));
        all.put("count", entry.count());
        if (entry.elementType() != ModelFile.Type.ARRAY) {
            List<Object> values = new ArrayList<>();
            for (long i = 0; i < entry.count(); i++) {
                values.add(value(entry, i));
            }
            all.put("value", values);
        }
        return all;
    }
}
