// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_metadata;
import dev.puna.bindings.gen.puna_tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** An open GGUF file: its metadata and tensors, checked, nothing loaded. Immutable; any thread. */
public final class NativeFile extends NativeObject {
    private final MemorySegment file;

    private NativeFile(Path path, MemorySegment file) {
        super("file " + path, file, PunaH::puna_file_close, null);
        this.file = file;
    }

    /** A model's own file. */
    NativeFile(NativeModel model, MemorySegment file) {
        super(model);
        this.file = file;
    }

    /** The type of a metadata entry, in the order of the file format's numbers. */
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
        /** UTF-8 text. */
        STRING,
        /** Elements of one type. */
        ARRAY,
        /** 64 bits, unsigned. */
        UINT64,
        /** 64 bits, signed. */
        INT64,
        /** A double. */
        FLOAT64;

        /** Whether {@link NativeFile#integer} reads it. */
        public boolean isInteger() {
            return switch (this) {
                case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64, BOOL -> true;
                default -> false;
            };
        }
    }

    /**
     * A metadata entry without its value.
     *
     * @param key its name
     * @param type what it holds
     * @param elementType what an array holds; else the same as the type
     * @param count elements of an array; else 1
     */
    public record Metadata(String key, Type type, Type elementType, long count) {}

    /**
     * A tensor without its bytes.
     *
     * @param name its name
     * @param type how its numbers are stored, for example {@code Q4_1}
     * @param shape elements, the fastest-varying dimension first
     * @param offset of its bytes from the file's start
     * @param bytes how many it has
     */
    public record Tensor(String name, String type, List<Long> shape, long offset, long bytes) {}

    /**
     * Opens a file and checks its whole structure.
     *
     * @param path a file of the default file system
     * @return the file, to be closed
     * @throws NativeException if it can't be read or is no valid GGUF file
     */
    public static NativeFile open(Path path) {
        try (Call call = new Call()) {
            MemorySegment out = call.pointer();
            call.check(PunaH.puna_file_open(call.text(Paths.bytes(path)), out, call.error()));
            return new NativeFile(path, out.get(PunaH.C_POINTER, 0));
        }
    }

    /** For calls that take a file; valid while the caller has this in use. */
    MemorySegment address() {
        return file;
    }

    /**
     * The file's size.
     *
     * @return bytes
     */
    public long size() {
        try (Handle.Use use = use()) {
            return PunaH.puna_file_size(file);
        }
    }

    /**
     * The format's version.
     *
     * @return 2 or 3
     */
    public int version() {
        try (Handle.Use use = use()) {
            return PunaH.puna_file_version(file);
        }
    }

    /**
     * How many metadata entries there are.
     *
     * @return their number
     */
    public long metadataCount() {
        try (Handle.Use use = use()) {
            return PunaH.puna_file_metadata_count(file);
        }
    }

    /**
     * How many tensors there are.
     *
     * @return their number
     */
    public long tensorCount() {
        try (Handle.Use use = use()) {
            return PunaH.puna_file_tensor_count(file);
        }
    }

    /**
     * A metadata entry.
     *
     * @param index from 0
     * @return its name and type
     */
    public Metadata metadata(long index) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment entry = call.struct(puna_metadata.layout());
            call.check(PunaH.puna_file_metadata(file, index, entry, call.error()));
            return new Metadata(
                    Call.string(puna_metadata.key(entry), puna_metadata.key_length(entry)),
                    type(puna_metadata.type(entry)),
                    type(puna_metadata.element_type(entry)),
                    puna_metadata.count(entry));
        }
    }

    private static Type type(int number) {
        return Type.values()[number]; // the core has checked it
    }

    /**
     * A tensor.
     *
     * @param index from 0
     * @return its name, type, shape and place
     */
    public Tensor tensor(long index) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment tensor = call.struct(puna_tensor.layout());
            call.check(PunaH.puna_file_tensor(file, index, tensor, call.error()));
            List<Long> shape = new ArrayList<>();
            for (int i = 0; i < puna_tensor.dimensions(tensor); i++) {
                shape.add(puna_tensor.shape(tensor, i));
            }
            return new Tensor(
                    Call.string(puna_tensor.name(tensor), puna_tensor.name_length(tensor)),
                    puna_tensor.type_name(tensor).getString(0),
                    List.copyOf(shape),
                    puna_tensor.offset(tensor),
                    puna_tensor.bytes(tensor));
        }
    }

    /**
     * Finds a metadata entry.
     *
     * @param key its name
     * @return its index, or -1 if the file has none of this name
     */
    public long find(String key) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment index = call.longs(1);
            int status = PunaH.puna_file_find(file, call.text(key), index, call.error());
            if (status == PunaH.PUNA_NOT_FOUND()) {
                return -1;
            }
            call.check(status);
            return index.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * An integer or boolean (0 or 1).
     *
     * @param index of the entry
     * @param element of an array; else 0
     * @return its value; an unsigned one beyond a long's range saturates
     */
    public long integer(long index, long element) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment value = call.longs(1);
            call.check(PunaH.puna_file_integer(file, index, element, value, call.error()));
            return value.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * A number of any type.
     *
     * @param index of the entry
     * @param element of an array; else 0
     * @return its value
     */
    public double real(long index, long element) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment value = call.allocate(ValueLayout.JAVA_DOUBLE, 1);
            call.check(PunaH.puna_file_real(file, index, element, value, call.error()));
            return value.get(ValueLayout.JAVA_DOUBLE, 0);
        }
    }

    /**
     * A text.
     *
     * @param index of the entry
     * @param element of an array; else 0
     * @return its value; bytes that are no UTF-8 are replaced
     */
    public String string(long index, long element) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment text = call.pointer();
            MemorySegment length = call.longs(1);
            call.check(PunaH.puna_file_string(file, index, element, text, length, call.error()));
            return Call.string(text.get(PunaH.C_POINTER, 0), length.get(ValueLayout.JAVA_LONG, 0));
        }
    }
}
