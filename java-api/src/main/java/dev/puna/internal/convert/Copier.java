// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.PunaException;
import dev.puna.bindings.NativeWriter;
import dev.puna.internal.convert.Safetensors.Stored;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Carries tensors' numbers from the folder's files into the GGUF file, a few megabytes at a time; one that must be
 * turned is in memory as a whole. One thread.
 */
final class Copier {
    private static final int PIECE = 4 << 20; // bytes of numbers as they are stored
    /** Rows that come in another order are taken from a whole tensor in memory up to this size. */
    private static final long WHOLE = 64 << 20;

    private static final long MOST = 1 << 30; // bytes of a row, or of a tensor that is turned
    private static final int LARGEST_F16 = 0x7BFF; // the bits of 65504
    private static final float BEYOND_F16 = 65520;

    private final NativeWriter writer;
    private final LongConsumer progress;
    private ByteBuffer in = ByteBuffer.allocateDirect(0);
    private ByteBuffer middle = ByteBuffer.allocateDirect(0);
    private ByteBuffer out = ByteBuffer.allocateDirect(0);

    /** Progress hears of bytes that were read; what it throws ends the copying. */
    Copier(NativeWriter writer, LongConsumer progress) {
        this.writer = writer;
        this.progress = progress;
    }

    private static ByteBuffer room(ByteBuffer old, long bytes) {
        if (old.capacity() >= bytes) {
            return old.clear().limit((int) bytes);
        }
        return ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** GGUF's number of a stored type. */
    static NumberType type(Stored stored) {
        return switch (stored.type()) {
            case "F32" -> NumberType.F32;
            case "F16" -> NumberType.F16;
            case "BF16" -> NumberType.BF16;
            default ->
                throw Damage.unsupported(
                        stored.file().name(),
                        stored.name(),
                        "numbers of the type " + stored.type() + " are not converted; F32, F16 and BF16 are");
        };
    }

    /** A small tensor with each number multiplied, as floats. */
    static Weight multiplied(Weight weight, float factor) {
        Stored stored = weight.parts().getFirst();
        long count = weight.elements();
        bounded(stored, 4 * count, "a tensor to be multiplied");
        ByteBuffer numbers = ByteBuffer.allocateDirect((int) stored.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer floats = ByteBuffer.allocateDirect((int) (4 * count)).order(ByteOrder.LITTLE_ENDIAN);
        try {
            stored.file().read(numbers, stored.offset());
        } catch (IOException e) {
            throw new PunaException(stored.file().name() + ": " + e.getMessage(), e);
        }
        NumberType type = type(stored);
        if (type == NumberType.F32) {
            floats.put(0, numbers, 0, (int) stored.bytes());
        } else {
            NativeWriter.convert(type.number(), numbers.position(0), count, NumberType.F32.number(), floats);
        }
        int width = (int) weight.width();
        float[] values = new float[(int) count];
        for (int row = 0; row < weight.rowCount(); row++) {
            int from = (int) weight.source().applyAsLong(row) * width;
            for (int i = 0; i < width; i++) {
                values[row * width + i] = floats.getFloat(4 * (from + i)) * factor;
            }
        }
        return Weight.computed(weight.name(), values).reshaped(weight.shape());
    }

    void copy(Weight weight, NumberType to) {
        if (weight.values() != null) {
            in = room(in, 4L * weight.values().length);
            in.asFloatBuffer().put(weight.values());
            pass(weight, NumberType.F32, to, weight.values().length);
            return;
        }
        Stored first = weight.parts().getFirst();
        try {
            if (weight.turned()) {
                copyTurned(weight, first, to);
            } else {
                copyRows(weight, first, to);
            }
        } catch (IOException e) {
            throw new PunaException(first.file().name() + ": " + e.getMessage(), e);
        }
    }

    private static long bounded(Stored stored, long bytes, String what) {
        if (bytes > MOST) {
            throw Damage.unsupported(
                    stored.file().name(), stored.name(), what + " of " + bytes + " bytes is more than is converted");
        }
        return bytes;
    }

    private void copyRows(Weight weight, Stored first, NumberType to) throws IOException {
        long row = bounded(first, weight.width() * first.size(), "a row");
        long piece = Math.max(1, PIECE / row);
        ByteBuffer whole = null;
        if (weight.isMoved() && weight.parts().size() == 1 && first.bytes() <= WHOLE) {
            whole = ByteBuffer.allocateDirect((int) first.bytes());
            first.file().read(whole, first.offset());
        }
        for (long at = 0; at < weight.rowCount(); at += piece) {
            long count = Math.min(piece, weight.rowCount() - at);
            in = room(in, count * row);
            gather(weight, row, at, count, whole);
            in.flip();
            pass(weight, type(first), to, count * weight.width());
            progress.accept(count * row);
        }
    }

    /** Rows that follow each other in the source are read at once. */
    private void gather(Weight weight, long row, long at, long count, @Nullable ByteBuffer whole) throws IOException {
        long perPart = weight.parts().getFirst().elements() / weight.width();
        for (long done = 0; done < count; ) {
            long from = weight.source().applyAsLong(at + done);
            long left = Math.min(count - done, perPart - from % perPart);
            long run = 1;
            while (run < left && weight.source().applyAsLong(at + done + run) == from + run) {
                run++;
            }
            if (whole != null) {
                in.put(in.position(), whole, (int) (from * row), (int) (run * row));
                in.position((int) (in.position() + run * row));
            } else {
                Stored part = weight.parts().get((int) (from / perPart));
                int limit = in.limit();
                in.limit((int) (in.position() + run * row));
                part.file().read(in, part.offset() + from % perPart * row);
                in.limit(limit);
            }
            done += run;
        }
    }

    private void copyTurned(Weight weight, Stored stored, NumberType to) throws IOException {
        int bytes = (int) bounded(stored, stored.bytes(), "a tensor to be turned");
        int size = stored.size();
        int rows = Math.toIntExact(weight.shape().get(0));
        int columns = Math.toIntExact(weight.shape().get(1));
        ByteBuffer whole = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
        stored.file().read(whole, stored.offset());
        in = room(in, (long) columns * size);
        for (int r = 0; r < rows; r++) {
            in.clear().limit(columns * size);
            for (int c = 0; c < columns; c++) {
                int from = (c * rows + r) * size;
                if (size == 4) {
                    in.putInt(whole.getInt(from));
                } else {
                    in.putShort(whole.getShort(from));
                }
            }
            in.flip();
            pass(weight, type(stored), to, columns);
        }
        progress.accept(bytes);
    }

    /** Converts `count` numbers and writes them. */
    private void pass(Weight weight, NumberType from, NumberType to, long count) {
        ByteBuffer numbers = in;
        NumberType type = from;
        if (weight.added() != 0 || weight.decays()) {
            numbers = middle = room(middle, 4 * count);
            if (from == NumberType.F32) {
                middle.put(0, in, 0, in.limit());
            } else {
                NativeWriter.convert(from.number(), in, count, NumberType.F32.number(), middle);
            }
            FloatBuffer floats = middle.asFloatBuffer();
            for (int i = 0; i < count; i++) {
                double number = floats.get(i) + weight.added();
                floats.put(i, (float) (weight.decays() ? -Math.exp(number) : number));
            }
            type = NumberType.F32;
        }
        if (type == to) {
            writer.put(numbers);
            return;
        }
        out = room(out, to.bytes(count));
        NativeWriter.convert(type.number(), numbers, count, to.number(), out);
        if (to == NumberType.F16) {
            checkRange(weight, type, numbers);
        }
        writer.put(out);
    }

    /** What F16 has no number for would be its largest, and the model another one. */
    private void checkRange(Weight weight, NumberType from, ByteBuffer numbers) {
        ShortBuffer halves = out.asShortBuffer();
        for (int i = 0; i < halves.limit(); i++) {
            if ((halves.get(i) & 0x7FFF) < LARGEST_F16) {
                continue;
            }
            float number = from == NumberType.F32
                    ? numbers.getFloat(4 * i)
                    : Float.intBitsToFloat((numbers.getShort(2 * i) & 0xFFFF) << 16);
            if (!(Math.abs(number) < BEYOND_F16)) {
                Stored stored = weight.parts().getFirst();
                throw Damage.unsupported(
                        stored.file().name(),
                        stored.name(),
                        "it has " + number + ", and F16 no number beyond 65504; BF16 or F32 may hold it");
            }
        }
    }
}
