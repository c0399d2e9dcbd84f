// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.InvalidModelException;
import dev.puna.ModelFile;
import dev.puna.UnsupportedModelException;
import dev.puna.convert.Convert;
import dev.puna.convert.Converted;
import dev.puna.convert.WeightType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code puna convert FOLDER}. */
@Command(
        name = "convert",
        description = {
            "Make a GGUF file of a folder of Hugging Face's form; print where it lies.",
            "The folder has config.json, weights as safetensors and a tokenizer; nothing is fetched."
        })
final class ConvertCommand implements Callable<Integer> {
    private final Streams streams;

    @Parameters(paramLabel = "FOLDER", description = "The model's folder.")
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = {
                "The file to write; one that is there is replaced when the new one is complete.",
                "Default: named by folder and type, here."
            })
    private @Nullable Path output;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            converter = TypeConverter.class,
            completionCandidates = Types.class,
            description = {
                "How matrices are kept: ${COMPLETION-CANDIDATES}.",
                "Default: SOURCE, as the folder has them."
            })
    private WeightType type = WeightType.SOURCE;

    @Option(names = "--name", paramLabel = "TEXT", description = "What the model is called in the file.")
    private @Nullable String name;

    @Option(
            names = "--pre",
            paramLabel = "NAME",
            description = {
                "The tokenizer.ggml.pre of a model that cuts words in the same way,",
                "where the folder's own definition is not known."
            })
    private @Nullable String pre;

    @Option(
            names = "--base",
            paramLabel = "FILE",
            description = "Of an adapter's folder (PEFT): the GGUF file of the model that it is for.")
    private @Nullable Path base;

    ConvertCommand(Streams streams) {
        this.streams = streams;
    }

    /** All types. */
    static final class Types implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(WeightType.values()).map(Enum::name).iterator();
        }
    }

    /** Names in any case. */
    static final class TypeConverter implements ITypeConverter<WeightType> {
        @Override
        public WeightType convert(String text) {
            try {
                return WeightType.valueOf(text.toUpperCase(Locale.ROOT));
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException("\"" + text + "\" is none of " + String.join(", ", new Types()));
            }
        }
    }

    @Override
    public Integer call() {
        Path target = output == null ? named() : output;
        Convert conversion = Convert.folder(folder).to(target).type(type);
        if (name != null) {
            conversion.name(name);
        }
        if (pre != null) {
            conversion.preTokenizer(pre);
        }
        if (base != null) {
            conversion.base(base);
        }
        try (ConvertDisplay display = new ConvertDisplay(streams)) {
            Converted converted = conversion.onProgress(display).run();
            streams.out().println(converted.file());
            if (base == null) { // an adapter is no model
                warn(converted.file());
            }
        }
        return 0;
    }

    /** A file may be right and yet nothing that can be run here: better said now than when it is loaded. */
    private void warn(Path file) {
        try (ModelFile written = ModelFile.open(file)) {
            written.tokenizer();
            written.plan(options -> {});
        } catch (UnsupportedModelException | InvalidModelException e) {
            String why = Main.oneLine(String.valueOf(e.getMessage()));
            streams.err().println("puna: warning: the file is written, but can't be loaded here: " + why);
            streams.err().flush();
        }
    }

    private Path named() {
        Path last = folder.toAbsolutePath().normalize().getFileName();
        String stem = last == null ? "model" : last.toString();
        return Path.of(stem + (type == WeightType.SOURCE ? "" : "-" + type) + ".gguf");
    }
}
