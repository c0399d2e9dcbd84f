// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeFile;
import dev.puna.bindings.NativeMemoryPlan;
import dev.puna.bindings.NativeTokenizer;
import dev.puna.internal.Core;
import dev.puna.internal.Failures;
import dev.puna.internal.Platform;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A GGUF file, opened to look into it: metadata, tensors, vocabulary. Its whole structure is checked, no weight is
 * loaded; a file that holds a vocabulary alone will do.
 *
 * <pre>{@code
 * try (ModelFile file = ModelFile.open(path)) {
 *     file.metadata().forEach(System.out::println);
 *     int[] ids = file.tokenizer().encode("Hello");
 * }
 * }</pre>
 *
 * Immutable; any thread, as long as it is open.
 */
public final class ModelFile implements AutoCloseable {
    private final Path path;
    private final NativeFile file;
    private @Nullable NativeTokenizer vocabulary; // guarded by this, as below
    private boolean closed;

    private ModelFile(Path path, NativeFile file) {
        this.path = path;
        this.file = file;
    }

    /** The type of a metadata entry. More may be added. */
    public enum Type {
        /** 8 bits, unsigned. */
        UINT8,
        /** 8 bits, signed. */
        INT8,
        /** 16 bits, unsigned. */
        UINT16,
        /** 16 bits, signed. */
        INT16,
        /** 32 bits, unsigned. */
        UINT32,
        /** 32 bits, signed. */
        INT32,
        /** A float. */
        FLOAT32,
        /** True or false. */
        BOOL,
        /** Text. */
        STRING,
        /** Elements of one type. */
        ARRAY,
        /** 64 bits, unsigned. */
        UINT64,
        /** 64 bits, signed. */
        INT64,
        /** A double. */
        FLOAT64
    }

    /** A metadata entry; its values are read when they are asked for. Valid while the file is open. */
    public static final class Entry {
        private final NativeFile file;
        private final long index;
        private final NativeFile.Metadata about;

        private Entry(NativeFile file, long index) {
            this.file = file;
            this.index = index;
            this.about = file.metadata(index);
        }

        /** {@return its name} */
        public String key() {
            return about.key();
        }

        /** {@return what it holds} */
        public Type type() {
            return Type.valueOf(about.type().name());
        }

        /** {@return what an array's elements are; else the same as {@link #type()}} */
        public Type elementType() {
            return Type.valueOf(about.elementType().name());
        }

        /** {@return elements of an array; else 1} */
        public long count() {
            return about.count();
        }

        /**
         * A value: {@link Long} for integers (an unsigned one beyond its range saturates), {@link Double},
         * {@link Boolean} or {@link String}. Arrays inside an array are not read.
         *
         * @param element of an array, from 0; else 0
         * @return its value
         */
        public Object value(long element) {
            return Failures.mapped(() -> switch (elementType()) {
                case STRING -> file.string(index, element);
                case BOOL -> file.integer(index, element) != 0;
                case FLOAT32, FLOAT64 -> file.real(index, element);
                case ARRAY ->
                    throw new IllegalArgumentException(key() + " is an array of arrays; its values are not read");
                default -> file.integer(index, element);
            });
        }

        @Override
        public String toString() {
            return key() + ": " + (type() == Type.ARRAY ? elementType() + "[" + count() + "]" : value(0));
        }
    }

    /** A tensor of the file. Immutable. */
    public static final class Tensor {
        private final NativeFile.Tensor tensor;

        private Tensor(NativeFile.Tensor tensor) {
            this.tensor = tensor;
        }

        /** {@return its name} */
        public String name() {
            return tensor.name();
        }

        /** {@return how its numbers are stored, for example {@code Q4_1}} */
        public String type() {
            return tensor.type();
        }

        /** {@return elements of each dimension, the fastest-varying first} */
        public List<Long> shape() {
            return tensor.shape();
        }

        /** {@return elements altogether} */
        public long elements() {
            return tensor.shape().stream().reduce(1L, (a, b) -> a * b);
        }

        /** {@return where its bytes begin in the file} */
        public long offset() {
            return tensor.offset();
        }

        /** {@return bytes in the file} */
        public long bytes() {
            return tensor.bytes();
        }

        @Override
        public String toString() {
            return name() + " " + type() + " " + shape();
        }
    }

    /**
     * Opens a file and checks its structure.
     *
     * @param path a GGUF file
     * @return the file, to be closed
     * @throws ModelNotFoundException if there is none
     * @throws InvalidModelException if it is damaged or no GGUF file
     */
    public static ModelFile open(Path path) {
        Core.load();
        return new ModelFile(path, Failures.mapped(() -> NativeFile.open(path)));
    }

    /** {@return the path that it was opened by} */
    public Path path() {
        return path;
    }

    /** {@return its size in bytes} */
    public long size() {
        return Failures.mapped(file::size);
    }

    /** {@return the format's version: 2 or 3} */
    public int version() {
        return Failures.mapped(file::version);
    }

    /** {@return all metadata, in the file's order} */
    public List<Entry> metadata() {
        return Failures.mapped(() -> {
            List<Entry> all = new ArrayList<>();
            long count = file.metadataCount();
            for (long i = 0; i < count; i++) {
                all.add(new Entry(file, i));
            }
            return all;
        });
    }

    /** {@return all tensors, in the file's order} */
    public List<Tensor> tensors() {
        return Failures.mapped(() -> {
            List<Tensor> all = new ArrayList<>();
            long count = file.tensorCount();
            for (long i = 0; i < count; i++) {
                all.add(new Tensor(file.tensor(i)));
            }
            return all;
        });
    }

    /**
     * The vocabulary, without the model.
     *
     * @return valid while the file is open
     * @throws InvalidModelException if the file has none, or a damaged one
     * @throws UnsupportedModelException if it is of an unknown kind
     */
    public synchronized Tokenizer tokenizer() {
        if (closed) {
            throw new ClosedException("the file is closed");
        }
        NativeTokenizer known = vocabulary;
        if (known == null) {
            known = Failures.mapped(() -> NativeTokenizer.load(file));
            vocabulary = known;
        }
        return new Tokenizer(known);
    }

    /**
     * What the model would need if it were loaded.
     *
     * @param options of its context
     * @return the plan
     * @throws UnsupportedModelException if it could not be run
     */
    public MemoryPlan plan(Consumer<ContextOptions> options) {
        ContextOptions wanted = new ContextOptions();
        options.accept(wanted);
        return new MemoryPlan(Failures.mapped(
                () -> Platform.call("plan", () -> NativeMemoryPlan.of(file, wanted.toNative()), () -> {})));
    }

    /** Closes the file and its tokenizer; without effect the second time. */
    @Override
    public synchronized void close() {
        closed = true;
        if (vocabulary != null) {
            vocabulary.close();
        }
        file.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
