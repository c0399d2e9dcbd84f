// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a SentencePiece model file says, as far as GGUF has a place for it; read from its protobuf. Immutable. */
final class SentencePieceModel {
    static final int UNIGRAM = 1;
    static final int BPE = 2;

    private static final int MOST_PIECES = 1 << 24;

    /**
     * A piece.
     *
     * @param text UTF-8
     * @param score of it
     * @param kind 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte: as GGUF numbers them
     */
    record Piece(byte[] text, float score, int kind) {}

    private final String file;
    private final List<Piece> pieces = new ArrayList<>();
    private int type = UNIGRAM;
    private int unknown = 0;
    private int begin = 1;
    private int end = 2;
    private int padding = -1;
    private byte[] map = {};
    private boolean prefix = true;
    private boolean removesSpaces = true;

    private SentencePieceModel(String file) {
        this.file = file;
    }

    static SentencePieceModel read(String file, byte[] bytes) {
        SentencePieceModel model = new SentencePieceModel(file);
        Message all = new Message(file, ByteBuffer.wrap(bytes));
        while (all.next()) {
            switch (all.field) {
                case 1 -> model.addPiece(all.message());
                case 2 -> model.readTrainer(all.message());
                case 3 -> model.readNormalizer(all.message());
                default -> {}
            }
        }
        if (model.pieces.isEmpty()) {
            throw Damage.in(file, "", "it has no pieces: it is no SentencePiece model");
        }
        return model;
    }

    private void addPiece(Message message) {
        byte[] text = {};
        float score = 0;
        int kind = 1;
        while (message.next()) {
            switch (message.field) {
                case 1 -> text = message.bytes();
                case 2 -> score = message.real();
                case 3 -> kind = message.integer();
                default -> {}
            }
        }
        if (kind < 1 || kind > 6 || !Float.isFinite(score) || pieces.size() == MOST_PIECES) {
            throw Damage.in(file, "piece " + pieces.size(), "its kind is " + kind + ", its score " + score);
        }
        pieces.add(new Piece(text, score, kind));
    }

    private void readTrainer(Message message) {
        while (message.next()) {
            switch (message.field) {
                case 3 -> type = message.integer();
                case 40 -> unknown = message.integer();
                case 41 -> begin = message.integer();
                case 42 -> end = message.integer();
                case 43 -> padding = message.integer();
                default -> {}
            }
        }
        if (type != UNIGRAM && type != BPE) {
            throw Damage.unsupported(file, "model_type", "it is neither Unigram nor BPE, but number " + type);
        }
    }

    private void readNormalizer(Message message) {
        while (message.next()) {
            switch (message.field) {
                case 2 -> map = message.bytes();
                case 3 -> prefix = message.integer() != 0;
                case 4 -> removesSpaces = message.integer() != 0;
                default -> {}
            }
        }
    }

    List<Piece> pieces() {
        return pieces;
    }

    int type() {
        return type;
    }

    int unknown() {
        return unknown;
    }

    int begin() {
        return begin;
    }

    int end() {
        return end;
    }

    int padding() {
        return padding;
    }

    /** The precompiled map of characters; may be empty. */
    byte[] map() {
        return map;
    }

    /** Whether a space is put in front of a text. */
    boolean prefix() {
        return prefix;
    }

    boolean removesSpaces() {
        return removesSpaces;
    }

    /** A protobuf message's fields, one after the other. */
    private static final class Message {
        private final String file;
        private final ByteBuffer bytes;
        private int field;
        private int wire;
        private long number; // of a varint, or the bits of a fixed one
        private ByteBuffer content = ByteBuffer.allocate(0);

        Message(String file, ByteBuffer bytes) {
            this.file = file;
            this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
        }

        boolean next() {
            if (!bytes.hasRemaining()) {
                return false;
            }
            long key = varint();
            field = (int) Math.min(key >>> 3, Integer.MAX_VALUE);
            wire = (int) (key & 7);
            switch (wire) {
                case 0 -> number = varint();
                case 1 -> number = take(8).getLong();
                case 2 -> {
                    long length = varint();
                    if (length < 0 || length > bytes.remaining()) {
                        throw wrong("a field of " + Long.toUnsignedString(length) + " bytes goes beyond its end");
                    }
                    content = take((int) length);
                }
                case 5 -> number = take(4).getInt();
                default -> throw wrong("a field of the unknown kind " + wire);
            }
            return true;
        }

        private ByteBuffer take(int count) {
            if (count > bytes.remaining()) {
                throw wrong("it is cut short");
            }
            ByteBuffer taken = bytes.slice(bytes.position(), count).order(ByteOrder.LITTLE_ENDIAN);
            bytes.position(bytes.position() + count);
            return taken;
        }

        private long varint() {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                byte b = take(1).get();
                value |= (long) (b & 127) << shift;
                if (b >= 0) {
                    return value;
                }
            }
            throw wrong("a number of more than ten bytes");
        }

        Message message() {
            expect(2);
            return new Message(file, content);
        }

        byte[] bytes() {
            expect(2);
            byte[] copy = new byte[content.remaining()];
            content.get(content.position(), copy);
            return copy;
        }

        int integer() {
            expect(0);
            return (int) number;
        }

        float real() {
            expect(5);
            return Float.intBitsToFloat((int) number);
        }

        private void expect(int kind) {
            if (wire != kind) {
                throw wrong("field " + field + " is of another kind than a SentencePiece model has");
            }
        }

        private RuntimeException wrong(String why) {
            return Damage.at(file, "", bytes.position(), why + "; it is damaged, or no SentencePiece model");
        }
    }

    @Override
    public String toString() {
        return file + ": " + pieces.size() + " pieces, " + Arrays.hashCode(map);
    }
}
