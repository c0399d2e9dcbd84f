// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_part;
import dev.puna.bindings.gen.puna_text;
import dev.puna.bindings.gen.puna_token;
import dev.puna.bindings.gen.puna_tokenizer_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Text to token ids and back. Immutable; any thread. */
public final class NativeTokenizer extends NativeObject {
    private final MemorySegment tokenizer;
    private final Info info;

    private NativeTokenizer(MemorySegment tokenizer) {
        super("tokenizer", tokenizer, PunaH::puna_tokenizer_close, null);
        this.tokenizer = tokenizer;
        this.info = describe(tokenizer);
    }

    /** A model's own; the caller has the model in use. */
    NativeTokenizer(NativeModel model, MemorySegment tokenizer) {
        super(model);
        this.tokenizer = tokenizer;
        this.info = describe(tokenizer);
    }

    /**
     * A vocabulary's properties.
     *
     * @param vocabulary ids are 0 to this less 1
     * @param bos beginning of sequence, -1 if there is none; likewise the next ones
     * @param eos end of sequence
     * @param eot end of turn
     * @param pad padding
     * @param unknown what stands for the unknown
     * @param addBos whether the model wants BOS in front of a text
     * @param addEos whether it wants EOS behind it
     * @param model the algorithm, for example {@code gpt2}
     * @param pre the pre-tokenizer, for example {@code smollm}
     * @param mask what a masked language model fills, -1 if there is none
     */
    public record Info(
            int vocabulary,
            int bos,
            int eos,
            int eot,
            int pad,
            int unknown,
            boolean addBos,
            boolean addEos,
            String model,
            String pre,
            int mask) {}

    /** What a token is for. */
    public enum Kind {
        /** Text. */
        NORMAL,
        /** Stands for what the vocabulary lacks. */
        UNKNOWN,
        /** Structure, never text. */
        CONTROL,
        /** Text that is kept in one piece. */
        USER_DEFINED,
        /** Nothing. */
        UNUSED,
        /** One byte. */
        BYTE
    }

    /**
     * One entry of the vocabulary.
     *
     * @param id its id
     * @param kind what it is for
     * @param endsGeneration whether it ends an answer
     * @param text as the vocabulary spells it
     * @param bytes what it stands for in a text: any bytes, perhaps a part of a character
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Token(int id, Kind kind, boolean endsGeneration, String text, byte[] bytes) {}

    /**
     * Loads the vocabulary of a file.
     *
     * @param file may be closed afterwards
     * @return the tokenizer, to be closed
     */
    public static NativeTokenizer load(NativeFile file) {
        try (Handle.Use use = file.use();
                Call call = new Call()) {
            MemorySegment out = call.pointer();
            call.check(PunaH.puna_tokenizer_load(file.address(), out, call.error()));
            return new NativeTokenizer(out.get(PunaH.C_POINTER, 0));
        }
    }

    /** Valid during a use. */
    MemorySegment address() {
        return tokenizer;
    }

    /**
     * The vocabulary's properties.
     *
     * @return the same at every call
     */
    public Info info() {
        return info;
    }

    private static Info describe(MemorySegment tokenizer) {
        try (Call call = new Call()) {
            MemorySegment info = call.struct(puna_tokenizer_info.layout());
            PunaH.puna_tokenizer_describe(tokenizer, info);
            return new Info(
                    puna_tokenizer_info.vocabulary(info),
                    puna_tokenizer_info.bos(info),
                    puna_tokenizer_info.eos(info),
                    puna_tokenizer_info.eot(info),
                    puna_tokenizer_info.pad(info),
                    puna_tokenizer_info.unknown(info),
                    puna_tokenizer_info.add_bos(info) == 1,
                    puna_tokenizer_info.add_eos(info) == 1,
                    puna_tokenizer_info.model(info).getString(0),
                    puna_tokenizer_info.pre(info).getString(0),
                    puna_tokenizer_info.mask(info));
        }
    }

    /**
     * One entry of the vocabulary.
     *
     * @param id from 0
     * @return the entry
     * @throws NativeException if the vocabulary has no such id
     */
    public Token token(int id) {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment token = call.struct(puna_token.layout());
            call.check(PunaH.puna_tokenizer_token(tokenizer, id, token, call.error()));
            return new Token(
                    id,
                    kind(puna_token.kind(token)),
                    puna_token.ends_generation(token) == 1,
                    Call.string(puna_token.text(token), puna_token.text_length(token)),
                    Call.bytes(puna_token.bytes(token), puna_token.bytes_length(token)));
        }
    }

    private static Kind kind(int number) {
        if (number == PunaH.PUNA_TOKEN_UNKNOWN()) return Kind.UNKNOWN;
        if (number == PunaH.PUNA_TOKEN_CONTROL()) return Kind.CONTROL;
        if (number == PunaH.PUNA_TOKEN_USER_DEFINED()) return Kind.USER_DEFINED;
        if (number == PunaH.PUNA_TOKEN_UNUSED()) return Kind.UNUSED;
        if (number == PunaH.PUNA_TOKEN_BYTE()) return Kind.BYTE;
        return Kind.NORMAL;
    }

    /**
     * Text to ids. Takes about 100 ns a byte.
     *
     * @param text any bytes, UTF-8 as a rule
     * @param special whether spelled-out control tokens become their ids: trusted text only
     * @param affixes whether to add BOS and EOS as the model wants them
     * @return the ids
     */
    public int[] tokenize(byte[] text, boolean special, boolean affixes) {
        int flags = (special ? PunaH.PUNA_TOKENIZE_SPECIAL() : 0) | (affixes ? PunaH.PUNA_TOKENIZE_AFFIXES() : 0);
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment bytes = call.text(text);
            return call.ids(
                    text.length / 2L + 16,
                    (ids, capacity, count) -> PunaH.puna_tokenize(
                            tokenizer, bytes, text.length, flags, ids, capacity, count, call.error()));
        }
    }

    /**
     * A text in parts to ids: control tokens are recognised within a trusted part alone; all other text gives the ids
     * that it would give in one piece. No BOS or EOS is added.
     *
     * @param parts bytes in order, UTF-8 as a rule
     * @param trusted for each part, whether it may spell control tokens: true for what a template wrote, false for what
     *     a user did
     * @return the ids of all of them
     */
    public int[] tokenizeParts(List<byte[]> parts, boolean[] trusted) {
        Objects.checkIndex(parts.size(), trusted.length + 1);
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment slots = call.allocate(puna_part.layout(), Math.max(1, parts.size()));
            long bytes = 0;
            for (int i = 0; i < parts.size(); i++) {
                MemorySegment slot = puna_part.asSlice(slots, i);
                puna_part.text(slot, call.text(parts.get(i)));
                puna_part.length(slot, parts.get(i).length);
                puna_part.trusted(slot, trusted[i] ? 1 : 0);
                bytes += parts.get(i).length;
            }
            return call.ids(
                    bytes / 2 + 16,
                    (ids, capacity, count) -> PunaH.puna_tokenize_parts(
                            tokenizer, slots, parts.size(), ids, capacity, count, call.error()));
        }
    }

    /**
     * A text, or a pair, as an encoder reads it: framed by control tokens, with token types.
     *
     * @param first UTF-8 as a rule
     * @param second likewise; null: one text
     * @param special whether control tokens that the texts spell out become their ids
     * @return ids and types
     */
    public NativeInput tokenizePair(byte[] first, byte @Nullable [] second, boolean special) {
        int flags = special ? PunaH.PUNA_TOKENIZE_SPECIAL() : 0;
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment one = part(call, first);
            MemorySegment two = second == null ? MemorySegment.NULL : part(call, second);
            long capacity = (first.length + (second == null ? 0 : second.length)) / 2L + 16;
            MemorySegment count = call.longs(1);
            while (true) {
                MemorySegment ids = call.allocate(ValueLayout.JAVA_INT, capacity);
                MemorySegment types = call.allocate(ValueLayout.JAVA_INT, capacity);
                int status =
                        PunaH.puna_tokenize_pair(tokenizer, one, two, flags, ids, types, capacity, count, call.error());
                long length = count.get(ValueLayout.JAVA_LONG, 0);
                if (!call.tooSmall(status)) {
                    return new NativeInput(ints(ids, length), ints(types, length));
                }
                capacity = Math.max(length, capacity + 1);
            }
        }
    }

    private static MemorySegment part(Call call, byte[] utf8) {
        MemorySegment text = call.struct(puna_text.layout());
        puna_text.text(text, call.text(utf8));
        puna_text.length(text, utf8.length);
        return text;
    }

    private static int[] ints(MemorySegment from, long count) {
        return from.asSlice(0, count * Integer.BYTES).toArray(ValueLayout.JAVA_INT);
    }

    /**
     * Ids to text.
     *
     * @param ids each from 0 to the vocabulary's size less 1
     * @param special whether control tokens are spelled out; else they are left out
     * @return the bytes of all tokens in a row, UTF-8 as a rule
     */
    public byte[] detokenize(int[] ids, boolean special) {
        int flags = special ? PunaH.PUNA_TOKENIZE_SPECIAL() : 0;
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment tokens = call.ints(ids);
            MemorySegment count = call.longs(1);
            long capacity = ids.length * 8L + 16;
            while (true) {
                MemorySegment text = call.allocate(ValueLayout.JAVA_BYTE, capacity);
                int status = PunaH.puna_detokenize(
                        tokenizer, tokens, ids.length, flags, text, capacity, count, call.error());
                long length = count.get(ValueLayout.JAVA_LONG, 0);
                if (!call.tooSmall(status)) {
                    return Call.bytes(text, length);
                }
                capacity = Math.max(length, capacity + 1);
            }
        }
    }
}
