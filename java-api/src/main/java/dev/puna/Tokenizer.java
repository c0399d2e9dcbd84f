// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeInput;
import dev.puna.bindings.NativeTokenizer;
import dev.puna.internal.Failures;
import dev.puna.internal.Platform;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Text to token ids and back.
 *
 * <pre>{@code
 * int[] ids = model.tokenizer().encode("Hello");
 * String text = model.tokenizer().decode(ids);
 * }</pre>
 *
 * Immutable; any thread, as long as the model is open.
 */
public final class Tokenizer {
    private final NativeTokenizer tokenizer;

    Tokenizer(NativeTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** What a token is for. More may be added. */
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

    /** {@return how many token ids there are; they begin at 0} */
    public int size() {
        return tokenizer.info().vocabulary();
    }

    /**
     * Text to ids: control tokens that the text spells out stay plain text, nothing is added in front or behind.
     *
     * @param text any text
     * @return its ids
     */
    public int[] encode(String text) {
        return encode(text.getBytes(StandardCharsets.UTF_8), false, false);
    }

    /**
     * Bytes to ids.
     *
     * @param text UTF-8 as a rule; other bytes keep tokens of their own
     * @param special whether spelled-out control tokens become their ids: for trusted text only
     * @param affixes whether to add the beginning and end tokens that the model wants
     * @return its ids
     */
    public int[] encode(byte[] text, boolean special, boolean affixes) {
        return Failures.mapped(() -> Platform.forText(text.length, () -> tokenizer.tokenize(text, special, affixes)));
    }

    /**
     * Ids to text, control tokens left out. Bytes that are no UTF-8 come out as U+FFFD.
     *
     * @param ids each at least 0 and less than {@link #size()}
     * @return their text
     */
    public String decode(int[] ids) {
        return decode(ids, false);
    }

    /**
     * Ids to text.
     *
     * @param ids each at least 0 and less than {@link #size()}
     * @param special whether control tokens are spelled out
     * @return their text
     */
    public String decode(int[] ids, boolean special) {
        return new String(decodeBytes(ids, special), StandardCharsets.UTF_8);
    }

    /**
     * Ids to bytes: what {@link #decode(int[], boolean)} makes a text of.
     *
     * @param ids each at least 0 and less than {@link #size()}
     * @param special whether control tokens are spelled out
     * @return their bytes
     */
    public byte[] decodeBytes(int[] ids, boolean special) {
        return Failures.mapped(() -> Platform.forText(ids.length * 4L, () -> tokenizer.detokenize(ids, special)));
    }

    /**
     * How the vocabulary spells a token.
     *
     * @param id at least 0 and less than {@link #size()}
     * @return its text in the vocabulary
     */
    public String spelling(int id) {
        return Failures.mapped(() -> tokenizer.token(id).text());
    }

    /**
     * What a token is for.
     *
     * @param id at least 0 and less than {@link #size()}
     * @return its kind
     */
    public Kind kind(int id) {
        return Kind.valueOf(Failures.mapped(() -> tokenizer.token(id).kind().name()));
    }

    /**
     * Whether a token ends an answer.
     *
     * @param id at least 0 and less than {@link #size()}
     * @return whether it does
     */
    public boolean endsGeneration(int id) {
        return Failures.mapped(() -> tokenizer.token(id).endsGeneration());
    }

    /** {@return the token that begins a sequence, if there is one} */
    public OptionalInt bos() {
        return optional(tokenizer.info().bos());
    }

    /** {@return the token that ends a sequence, if there is one} */
    public OptionalInt eos() {
        return optional(tokenizer.info().eos());
    }

    /** {@return how the vocabulary spells the token that a masked language model fills; empty if there is none} */
    public String mask() {
        return maskId() < 0 ? "" : spelling(maskId());
    }

    int maskId() {
        return tokenizer.info().mask();
    }

    /** A text, or a pair, as an encoder reads it. */
    NativeInput input(String first, @Nullable String second, boolean special) {
        byte[] one = first.getBytes(StandardCharsets.UTF_8);
        byte[] two = second == null ? null : second.getBytes(StandardCharsets.UTF_8);
        long bytes = one.length + (two == null ? 0L : two.length);
        return Failures.mapped(() -> Platform.forText(bytes, () -> tokenizer.tokenizePair(one, two, special)));
    }

    private static OptionalInt optional(int id) {
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    NativeTokenizer nativeTokenizer() {
        return tokenizer;
    }
}
