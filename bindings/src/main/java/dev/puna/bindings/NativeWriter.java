// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A GGUF file that is written: entries and tensors are named, then the front is written, then the tensors' bytes as
 * they come. It appears under its name at the end, whole, or not at all. One thread at a time.
 */
public final class NativeWriter extends NativeObject {
    private NativeWriter(MemorySegment address) {
        super("writer", address, PunaH::puna_writer_close, null);
    }

    /**
     * Creates a writer.
     *
     * @return a new one, to be closed
     */
    public static NativeWriter create() {
        try (Call call = new Call()) {
            MemorySegment out = call.pointer();
            call.check(PunaH.puna_writer_create(out, call.error()));
            return new NativeWriter(out.get(PunaH.C_POINTER, 0));
        }
    }

    private void scalar(String key, NativeFile.Type type, ByteBuffer number) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment from = MemorySegment.ofBuffer(number);
            MemorySegment copy = call.allocate(ValueLayout.JAVA_LONG, 1).copyFrom(from);
            call.check(PunaH.puna_writer_scalar(use.address(), call.text(key), type.ordinal(), copy, call.error()));
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(java.nio.ByteOrder.nativeOrder());
    }

    /**
     * An entry: a whole number, unsigned.
     *
     * @param key its name
     * @param number of 32 bits
     */
    public void unsigned(String key, int number) {
        scalar(key, NativeFile.Type.UINT32, buffer(Integer.BYTES).putInt(0, number));
    }

    /**
     * An entry: a whole number, signed.
     *
     * @param key its name
     * @param number of 32 bits
     */
    public void integer(String key, int number) {
        scalar(key, NativeFile.Type.INT32, buffer(Integer.BYTES).putInt(0, number));
    }

    /**
     * An entry: a number.
     *
     * @param key its name
     * @param number its value
     */
    public void real(String key, float number) {
        scalar(key, NativeFile.Type.FLOAT32, buffer(Float.BYTES).putFloat(0, number));
    }

    /**
     * An entry: a truth.
     *
     * @param key its name
     * @param truth its value
     */
    public void truth(String key, boolean truth) {
        scalar(key, NativeFile.Type.BOOL, buffer(1).put(0, (byte) (truth ? 1 : 0)));
    }

    /**
     * An entry: a text.
     *
     * @param key its name
     * @param text its value
     */
    public void text(String key, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        try (Handle.Use use = use();
                Call call = new Call()) {
            call.check(
                    PunaH.puna_writer_text(use.address(), call.text(key), call.text(utf8), utf8.length, call.error()));
        }
    }

    private void array(String key, NativeFile.Type type, ByteBuffer numbers, long count) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment from = MemorySegment.ofBuffer(numbers);
            MemorySegment copy = call.allocate(ValueLayout.JAVA_LONG, from.byteSize() / Long.BYTES + 1);
            copy.copyFrom(from);
            call.check(
                    PunaH.puna_writer_array(use.address(), call.text(key), type.ordinal(), copy, count, call.error()));
        }
    }

    /**
     * An entry: whole numbers, signed.
     *
     * @param key its name
     * @param numbers of 32 bits
     */
    public void integers(String key, int[] numbers) {
        ByteBuffer bytes = buffer(Math.multiplyExact(numbers.length, Integer.BYTES));
        bytes.asIntBuffer().put(numbers);
        array(key, NativeFile.Type.INT32, bytes, numbers.length);
    }

    /**
     * An entry: numbers.
     *
     * @param key its name
     * @param numbers its values
     */
    public void reals(String key, float[] numbers) {
        ByteBuffer bytes = buffer(Math.multiplyExact(numbers.length, Float.BYTES));
        bytes.asFloatBuffer().put(numbers);
        array(key, NativeFile.Type.FLOAT32, bytes, numbers.length);
    }

    /**
     * An entry: truths.
     *
     * @param key its name
     * @param truths its values
     */
    public void truths(String key, boolean[] truths) {
        ByteBuffer bytes = buffer(truths.length);
        for (boolean truth : truths) {
            bytes.put((byte) (truth ? 1 : 0));
        }
        array(key, NativeFile.Type.BOOL, bytes.flip(), truths.length);
    }

    /**
     * An entry: bytes.
     *
     * @param key its name
     * @param bytes its values, unsigned
     */
    public void bytes(String key, byte[] bytes) {
        array(key, NativeFile.Type.UINT8, ByteBuffer.wrap(bytes), bytes.length);
    }

    /**
     * An entry: texts.
     *
     * @param key its name
     * @param texts of any bytes
     */
    public void texts(String key, List<byte[]> texts) {
        long total = 0;
        for (byte[] text : texts) {
            total += text.length;
        }
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment all = call.allocate(ValueLayout.JAVA_BYTE, total + 1);
            MemorySegment lengths = call.longs(texts.size() + 1L);
            long at = 0;
            for (int i = 0; i < texts.size(); i++) {
                byte[] text = texts.get(i);
                MemorySegment.copy(text, 0, all, ValueLayout.JAVA_BYTE, at, text.length);
                lengths.setAtIndex(ValueLayout.JAVA_LONG, i, text.length);
                at += text.length;
            }
            call.check(
                    PunaH.puna_writer_texts(use.address(), call.text(key), all, lengths, texts.size(), call.error()));
        }
    }

    /**
     * A tensor that will come.
     *
     * @param name its name
     * @param type GGUF's number
     * @param shape the fastest-varying dimension first
     */
    public void tensor(String name, int type, List<Long> shape) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment dimensions = call.longs(shape.size() + 1L);
            for (int i = 0; i < shape.size(); i++) {
                dimensions.setAtIndex(ValueLayout.JAVA_LONG, i, shape.get(i));
            }
            call.check(PunaH.puna_writer_tensor(
                    use.address(), call.text(name), type, shape.size(), dimensions, call.error()));
        }
    }

    /**
     * Writes everything but the tensors.
     *
     * @param path the file's name at the end
     */
    public void begin(Path path) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            call.check(PunaH.puna_writer_begin(use.address(), call.text(Paths.bytes(path)), call.error()));
        }
    }

    /**
     * Writes the next bytes of the tensors.
     *
     * @param bytes a direct buffer's, from its position to its limit, which stay
     */
    public void put(ByteBuffer bytes) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            call.check(PunaH.puna_writer_put(
                    use.address(), MemorySegment.ofBuffer(bytes), bytes.remaining(), call.error()));
        }
    }

    /** Gives the file its name. */
    public void end() {
        try (Handle.Use use = use();
                Call call = new Call()) {
            call.check(PunaH.puna_writer_end(use.address(), call.error()));
        }
    }

    /**
     * Converts numbers from one tensor type to another.
     *
     * @param from GGUF's number of their type
     * @param numbers a direct buffer's bytes from its position on
     * @param count how many numbers; whole blocks
     * @param to GGUF's number of the type wanted
     * @param blocks a direct buffer, filled from its position on; its limit becomes the end of what was written
     */
    public static void convert(int from, ByteBuffer numbers, long count, int to, ByteBuffer blocks) {
        try (Call call = new Call()) {
            MemorySegment written = call.longs(1);
            call.check(PunaH.puna_convert_numbers(
                    from,
                    MemorySegment.ofBuffer(numbers),
                    count,
                    to,
                    MemorySegment.ofBuffer(blocks),
                    blocks.remaining(),
                    written,
                    call.error()));
            blocks.limit(Math.toIntExact(blocks.position() + written.get(ValueLayout.JAVA_LONG, 0)));
        }
    }
}
