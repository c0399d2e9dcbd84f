// SPDX-License-Identifier: Apache-2.0
package dev.puna.convert;

import dev.puna.InvalidModelException;
import dev.puna.ModelNotFoundException;
import dev.puna.PunaException;
import dev.puna.UnsupportedModelException;
import dev.puna.internal.Failures;
import dev.puna.internal.Platform;
import dev.puna.internal.convert.Converter;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A folder of Hugging Face's form, made into a GGUF file: {@code config.json}, weights as safetensors (one file or
 * several with their index; BF16, F16, F32), a tokenizer ({@code tokenizer.json}, a SentencePiece model,
 * {@code vocab.json} with {@code merges.txt}, {@code vocab.txt}), and, where they are there, chat templates and
 * {@code generation_config.json}. Names, keys and layouts are llama.cpp's, which can load the file where it knows the
 * architecture.
 *
 * <p>Numbers pass through memory a few megabytes at a time, a tensor that has to be turned as a whole. The file appears
 * under its name when it is whole; one that was there is replaced then. What a folder says is checked before it is
 * believed: its files are as untrusted as any.
 *
 * <p>A builder, for one thread; {@link #run()} may be called again.
 */
public final class Convert {
    private static final long TICK_MILLIS = 100;

    private final Path folder;
    private @Nullable Path file;
    private WeightType type = WeightType.SOURCE;
    private @Nullable String name;
    private @Nullable String preTokenizer;
    private @Nullable Path base;
    private Consumer<ConvertProgress> listener = progress -> {};

    private Convert(Path folder) {
        this.folder = folder;
    }

    /**
     * Begins with a folder.
     *
     * @param folder with config.json
     * @return a conversion to be completed
     */
    public static Convert folder(Path folder) {
        return new Convert(Objects.requireNonNull(folder, "folder"));
    }

    /**
     * Where to.
     *
     * @param path of the GGUF file; its folder must be there
     * @return this
     */
    public Convert to(Path path) {
        this.file = Objects.requireNonNull(path, "path");
        return this;
    }

    /**
     * How matrices are kept.
     *
     * @param wanted their type; the folder's own by default
     * @return this
     */
    public Convert type(WeightType wanted) {
        this.type = Objects.requireNonNull(wanted, "wanted");
        return this;
    }

    /**
     * What the model is called in the file.
     *
     * @param title any text; by default made from the folder's name
     * @return this
     */
    public Convert name(String title) {
        this.name = Objects.requireNonNull(title, "title");
        return this;
    }

    /**
     * Names the way in which a byte-level tokenizer cuts words, where the folder's own definition is not known.
     *
     * @param pre tokenizer.ggml.pre of a model that does it in the same way: "qwen2"
     * @return this
     */
    public Convert preTokenizer(String pre) {
        this.preTokenizer = Objects.requireNonNull(pre, "pre");
        return this;
    }

    /**
     * Names the model that an adapter is for, where the folder is one that PEFT saved ({@code adapter_config.json},
     * {@code adapter_model.safetensors}): its rows are laid out as that file's are.
     *
     * @param model a GGUF file
     * @return this
     */
    public Convert base(Path model) {
        this.base = Objects.requireNonNull(model, "model");
        return this;
    }

    /**
     * Who hears how far it is.
     *
     * @param consumer called at the beginning, about ten times a second, and at the end, on the thread that called
     *     {@link #run()}; what it throws cancels, unless the file is there already
     * @return this
     */
    public Convert onProgress(Consumer<ConvertProgress> consumer) {
        this.listener = Objects.requireNonNull(consumer, "consumer");
        return this;
    }

    /**
     * Converts. An interrupt cancels: then there is no new file, and one that was there is as it was.
     *
     * @return what came of it
     * @throws IllegalStateException if {@link #to} was not said
     * @throws ModelNotFoundException if the folder or one of its files is missing
     * @throws InvalidModelException if one is damaged, or they contradict each other: the message names file and field
     * @throws UnsupportedModelException if the model, or something in it, is not converted: the message says what is
     * @throws PunaException if it was interrupted, or the system refuses to read or write
     */
    public Converted run() {
        Path target = file;
        if (target == null) {
            throw new IllegalStateException("to(path) was not said: where is the GGUF file to lie?");
        }
        Converter converter = new Converter(folder, target, type.type(), name, preTokenizer, base);
        listener.accept(new ConvertProgress(0, 0)); // who refuses now has nothing begun
        FutureTask<Converter.Outcome> work = new FutureTask<>(converter::run);
        Platform.start("convert", work);
        Converter.Outcome outcome = watch(converter, work);
        return new Converted(
                target,
                outcome.architecture(),
                WeightType.valueOf(outcome.type().name()),
                outcome.tensors(),
                outcome.parameters());
    }

    private Converter.Outcome watch(Converter converter, FutureTask<Converter.Outcome> work) {
        while (true) {
            try {
                Converter.Outcome outcome = work.get(TICK_MILLIS, TimeUnit.MILLISECONDS);
                tell(converter, work);
                return outcome;
            } catch (TimeoutException e) {
                tell(converter, work);
            } catch (InterruptedException e) {
                stop(converter, work);
                Thread.currentThread().interrupt();
                throw new PunaException("the conversion of " + folder + " was interrupted", e);
            } catch (ExecutionException e) {
                throw cause(e);
            }
        }
    }

    private void tell(Converter converter, FutureTask<Converter.Outcome> work) {
        try {
            listener.accept(new ConvertProgress(converter.done(), converter.total()));
        } catch (RuntimeException | Error e) {
            stop(converter, work);
            throw e;
        }
    }

    /** Waits for the end, so that nothing is written any more. */
    private static void stop(Converter converter, FutureTask<Converter.Outcome> work) {
        converter.cancel();
        boolean interrupted = false;
        while (!work.isDone()) {
            try {
                work.get();
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                break; // that it was cancelled
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static RuntimeException cause(ExecutionException e) {
        return switch (e.getCause()) {
            case RuntimeException cause -> Failures.of(cause);
            case Error error -> throw error;
            case null, default -> new PunaException("the conversion failed", e);
        };
    }
}
