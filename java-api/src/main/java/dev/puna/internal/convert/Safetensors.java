// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.ModelNotFoundException;
import dev.puna.PunaException;
import dev.puna.internal.json.Json;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One file of safetensors: 8 bytes of length, a JSON header of that length, the tensors' bytes. All that the header
 * says is checked when it is opened: types, shapes, places in the file, overlaps. Any thread may read.
 */
final class Safetensors implements AutoCloseable {
    private static final long MOST_HEADER = 100_000_000; // the format's own limit
    private static final int MOST_DIMENSIONS = 8;

    /** Bytes an element, by the format's names. */
    private static final Map<String, Integer> SIZES = Map.ofEntries(
            Map.entry("BOOL", 1),
            Map.entry("U8", 1),
            Map.entry("I8", 1),
            Map.entry("F8_E4M3", 1),
            Map.entry("F8_E5M2", 1),
            Map.entry("U16", 2),
            Map.entry("I16", 2),
            Map.entry("F16", 2),
            Map.entry("BF16", 2),
            Map.entry("U32", 4),
            Map.entry("I32", 4),
            Map.entry("F32", 4),
            Map.entry("U64", 8),
            Map.entry("I64", 8),
            Map.entry("F64", 8));

    private final String name;
    private final FileChannel channel;
    private final Map<String, Stored> tensors = new LinkedHashMap<>();

    /**
     * A tensor in a file.
     *
     * @param file that has it
     * @param name as the file has it
     * @param type the format's name of it
     * @param shape the slowest-varying dimension first
     * @param offset from the file's start
     * @param bytes of it
     */
    record Stored(Safetensors file, String name, String type, List<Long> shape, long offset, long bytes) {
        long elements() {
            return shape.stream().reduce(1L, (a, b) -> a * b); // checked when the file was opened
        }

        int size() {
            return SIZES.getOrDefault(type, 1);
        }
    }

    private Safetensors(String name, FileChannel channel) {
        this.name = name;
        this.channel = channel;
    }

    static Safetensors open(Path folder, String name) {
        Path path = folder.resolve(name);
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new ModelNotFoundException(path + ": no such file; it is a part of the model", e);
        } catch (IOException e) {
            throw new PunaException(path + ": " + e.getMessage(), e);
        }
        Safetensors file = new Safetensors(name, channel);
        try {
            file.readHeader(channel.size());
        } catch (IOException e) {
            file.close();
            throw new PunaException(path + ": " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
        return file;
    }

    String name() {
        return name;
    }

    Map<String, Stored> tensors() {
        return tensors;
    }

    private void readHeader(long size) throws IOException {
        if (size < 8) {
            throw Damage.in(name, "", "has " + size + " bytes, less than a header's length takes; it is cut short");
        }
        ByteBuffer front = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        read(front, 0);
        long length = front.getLong(0);
        if (length < 2 || length > MOST_HEADER || length > size - 8) {
            throw Damage.at(
                    name,
                    "header",
                    0,
                    "has a length of " + Long.toUnsignedString(length) + " in a file of " + size
                            + " bytes; it is damaged, cut short, or no safetensors file");
        }
        ByteBuffer header = ByteBuffer.allocate((int) length);
        read(header, 8);
        Config all;
        try {
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(header.flip()).toString();
            all = Config.of(name, "header", Json.parse(text));
        } catch (CharacterCodingException e) {
            throw Damage.at(name, "header", 8, "is no UTF-8 text");
        } catch (IllegalArgumentException e) {
            throw Damage.at(name, "header", 8, String.valueOf(e.getMessage()));
        }
        for (String tensor : all.map().keySet()) {
            if (!tensor.equals("__metadata__")) {
                tensors.put(tensor, tensor(tensor, Config.of(name, tensor, all.value(tensor)), 8 + length, size));
            }
        }
        checkOverlaps();
    }

    private Stored tensor(String tensor, Config row, long begin, long size) {
        String type = row.text("dtype", "");
        Integer each = SIZES.get(type);
        if (each == null) {
            throw Damage.unsupported(name, tensor, "its type \"" + Damage.quote(type) + "\" is unknown");
        }
        List<Long> shape = new ArrayList<>();
        long bytes = each;
        for (Object item : row.list("shape")) {
            if (!(item instanceof Long extent) || extent < 0) {
                throw Damage.in(name, tensor, "its shape holds something that is no whole number");
            }
            try {
                bytes = Math.multiplyExact(bytes, extent);
            } catch (ArithmeticException e) {
                throw Damage.in(name, tensor, "its shape is larger than any file");
            }
            shape.add(extent);
        }
        if (shape.size() > MOST_DIMENSIONS || !row.has("shape")) {
            throw Damage.in(name, tensor, "it has " + shape.size() + " dimensions; 0 to 8, listed, are allowed");
        }
        List<?> offsets = row.list("data_offsets");
        if (offsets.size() != 2 || !(offsets.get(0) instanceof Long from) || !(offsets.get(1) instanceof Long to)) {
            throw Damage.in(name, tensor, "its data_offsets are not two whole numbers");
        }
        if (from < 0 || to < from || to > size - begin) {
            throw Damage.at(
                    name,
                    tensor,
                    begin,
                    "it lies at " + from + " to " + to + " of " + (size - begin)
                            + " bytes of data; the file is damaged or cut short");
        }
        if (to - from != bytes) {
            throw Damage.at(
                    name, tensor, begin + from, "it has " + (to - from) + " bytes; its shape and type need " + bytes);
        }
        return new Stored(this, tensor, type, List.copyOf(shape), begin + from, bytes);
    }

    private void checkOverlaps() {
        List<Stored> sorted = new ArrayList<>(tensors.values());
        sorted.sort((a, b) -> Long.compare(a.offset(), b.offset()));
        Stored last = null;
        for (Stored next : sorted) {
            if (next.bytes() == 0) {
                continue;
            }
            if (last != null && next.offset() < last.offset() + last.bytes()) {
                throw Damage.at(
                        name, next.name(), next.offset(), "it overlaps with \"" + Damage.quote(last.name()) + "\"");
            }
            last = next;
        }
    }

    /** Fills the buffer from its position to its limit; the position moves to the limit. */
    void read(ByteBuffer buffer, long offset) throws IOException {
        long at = offset;
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, at);
            if (count < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
            at += count;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // it was read only: nothing is lost
        }
    }
}
