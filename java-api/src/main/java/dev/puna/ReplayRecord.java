// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeGeneration;
import dev.puna.bindings.NativeLibrary;
import dev.puna.internal.RecordJson;
import dev.puna.internal.WholeFile;
import dev.puna.internal.engine.Slot;
import dev.puna.internal.talk.Speech;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * All that a generation depended on, and what it gave: enough to repeat it anywhere, bit for bit.
 *
 * <pre>{@code
 * Reply reply = model.prompt("Once upon a time").maxTokens(64).reply();
 * reply.record().save(Path.of("fugue.replay"));
 *
 * ReplayRecord record = ReplayRecord.read(Path.of("fugue.replay"));
 * System.out.println(record.replay(model)); // "equal: 64 tokens"
 * }</pre>
 *
 * A record holds token ids, not the model. It is JSON, which a bug report can hold. Immutable; any thread.
 */
public final class ReplayRecord {
    private static final long MOST_BYTES = 256L << 20;

    private final RecordJson.Content content;

    ReplayRecord(RecordJson.Content content) {
        this.content = content;
    }

    /** What a replay found. Immutable. */
    public static final class Result {
        private final int[] expected;
        private final int[] tokens;
        private final boolean sameEnd;
        private final String end;

        private Result(int[] expected, int[] tokens, boolean sameEnd, String end) {
            this.expected = expected;
            this.tokens = tokens;
            this.sameEnd = sameEnd;
            this.end = end;
        }

        /** {@return whether the same tokens came, and the same end} */
        public boolean isEqual() {
            return sameEnd && firstDifference() < 0;
        }

        /** {@return the index of the first generated token that differs or that one side lacks; -1 if none does} */
        public int firstDifference() {
            return Arrays.mismatch(expected, tokens);
        }

        /** {@return the recorded token ids: a copy} */
        public int[] expected() {
            return expected.clone();
        }

        /** {@return the token ids that came now: a copy} */
        public int[] tokens() {
            return tokens.clone();
        }

        /** {@return one line: equal, or where it first differs} */
        @Override
        public String toString() {
            int at = firstDifference();
            if (at < 0) {
                return sameEnd ? "equal: " + tokens.length + " tokens" : "the tokens are equal, the end is not: " + end;
            }
            return "differs at token " + at + ": " + id(expected, at) + " was recorded, " + id(tokens, at) + " came";
        }

        private static String id(int[] ids, int at) {
            return at < ids.length ? "id " + ids[at] : "the end";
        }
    }

    /** {@return what the model is called; may be empty} */
    public String modelName() {
        return content.modelName();
    }

    /** {@return the model's fingerprint: {@link ModelInfo#fingerprint()}} */
    public long modelFingerprint() {
        return content.fingerprint();
    }

    /** {@return where the model's file was when this was recorded} */
    public Path modelPath() {
        return Path.of(content.modelPath());
    }

    /** {@return the library's version that made the tokens} */
    public String libraryVersion() {
        return content.library();
    }

    /** {@return the version of the arithmetic contract: equal ones promise equal bits} */
    public int arithmeticVersion() {
        return content.arithmetic();
    }

    /** {@return the seed of the draws} */
    public long seed() {
        return content.settings().seed();
    }

    /** {@return the ids before the answer: a copy} */
    public int[] promptTokens() {
        return content.prompt().clone();
    }

    /** {@return the generated ids: a copy} */
    public int[] tokens() {
        return content.tokens().clone();
    }

    /** {@return why the generation ended} */
    public StopReason stopReason() {
        return StopReason.valueOf(content.stop());
    }

    /** {@return the record as JSON, one line} */
    public String json() {
        return RecordJson.write(content);
    }

    /**
     * Writes the record; the file appears when it is complete.
     *
     * @param file replaced if it is there
     */
    public void save(Path file) {
        try {
            WholeFile.write(file, (json() + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("the record can't be written to " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads a record.
     *
     * @param file what {@link #save} wrote
     * @return the record
     * @throws PunaException if the file is no record: says where and why
     */
    public static ReplayRecord read(Path file) {
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new PunaException(file + " is no replay record: " + Files.size(file) + " bytes are too many");
            }
            return parse(Files.readString(file), file.toString());
        } catch (java.nio.charset.CharacterCodingException e) {
            throw new PunaException(file + " is no replay record: it is not UTF-8 text", e);
        } catch (java.nio.file.NoSuchFileException e) {
            throw new PunaException("there is no file " + file, e);
        } catch (IOException e) {
            throw new PunaException("the record " + file + " can't be read: " + e.getMessage(), e);
        }
    }

    /**
     * Reads a record from its text.
     *
     * @param json what {@link #json} gave
     * @return the record
     * @throws PunaException if it is none
     */
    public static ReplayRecord parse(String json) {
        return parse(json, "the text");
    }

    private static ReplayRecord parse(String json, String where) {
        try {
            RecordJson.Content content = RecordJson.parse(json);
            StopReason.valueOf(content.stop());
            CacheType.valueOf(content.cacheType());
            return new ReplayRecord(content);
        } catch (IllegalArgumentException e) {
            throw new PunaException(where + " is no replay record: " + e.getMessage(), e);
        }
    }

    /**
     * Generates again, in a context of its own, and compares.
     *
     * @param model the model that the record is of
     * @return equal, or where it first differs
     * @throws PunaException if the model, or this library's arithmetic, is another one
     */
    public Result replay(Model model) {
        return replay(model, options -> {});
    }

    /**
     * Generates again and compares.
     *
     * @param model the model that the record is of
     * @param options threads, step tokens and the like; context length and cache type are the record's
     * @return equal, or where it first differs
     * @throws PunaException if the model, or this library's arithmetic, is another one
     */
    public Result replay(Model model, Consumer<ContextOptions> options) {
        return replay(model, options, List.of());
    }

    /**
     * Generates again and compares, a record of a request that used adapters.
     *
     * @param model the model that the record is of
     * @param options threads, step tokens and the like; context length and cache type are the record's
     * @param adapters of that model, among them those that the record names by their fingerprints; weights and order
     *     are the record's
     * @return equal, or where it first differs
     * @throws PunaException if the model, an adapter, or this library's arithmetic, is another one
     */
    public Result replay(Model model, Consumer<ContextOptions> options, List<Adapter> adapters) {
        refuse(model);
        List<NativeAdapter.Use> uses = content.adapters().stream()
                .map(asked -> find(adapters, asked).use(model, asked.weight()))
                .toList();
        try (Context context = model.newContext(o -> {
            o.maxSequences(1);
            options.accept(o);
            o.contextLength(content.contextLength()).cacheType(CacheType.valueOf(content.cacheType()));
        })) {
            return compare(again(context, settings(model).adapted(uses)));
        }
    }

    private Reply again(Context context, NativeGeneration settings) {
        Work work = new Work(content.prompt(), Slot.once(), Books.NONE, Speech.PLAIN);
        try (TextStream stream = work.start(context, settings, Long.MAX_VALUE, (row, tokens) -> {})) {
            return stream.reply();
        }
    }

    private static Adapter find(List<Adapter> adapters, RecordJson.Adapted asked) {
        return adapters.stream()
                .filter(adapter -> adapter.fingerprint() == asked.fingerprint())
                .findFirst()
                .orElseThrow(() -> new PunaException("the record is of a request with the adapter "
                        + (asked.name().isEmpty() ? "" : asked.name() + ", ") + "fingerprint "
                        + Long.toHexString(asked.fingerprint()) + ", which is not among those given"));
    }

    private void refuse(Model model) {
        if (model.info().fingerprint() != content.fingerprint()) {
            throw new PunaException("the record is of another model: "
                    + (content.modelName().isEmpty() ? "" : content.modelName() + ", ") + "fingerprint "
                    + Long.toHexString(content.fingerprint()) + "; this is " + model.info() + ", "
                    + Long.toHexString(model.info().fingerprint()));
        }
        if (NativeLibrary.arithmeticVersion() != content.arithmetic()) {
            throw new PunaException("the record is of version " + content.arithmetic()
                    + " of the arithmetic contract, this library has version " + NativeLibrary.arithmeticVersion()
                    + ": replay it with puna " + content.library());
        }
        if (content.settings().shown()) {
            throw new PunaException(
                    "the record is of a request with a logits hook, which is not part of it: it can't be replayed");
        }
    }

    private boolean wasCut() {
        return stopReason() == StopReason.CANCELLED || stopReason() == StopReason.TIMEOUT;
    }

    /** One that was cut short by the clock is repeated up to there. */
    private NativeGeneration settings(Model model) {
        NativeGeneration asked = content.settings();
        if (!content.grammar().isEmpty()) {
            asked = asked.held(model.grammars().of(content.grammar()));
        }
        return wasCut() ? asked.bounded(Math.max(1, content.tokens().length)) : asked;
    }

    private Result compare(Reply reply) {
        int[] came = reply.tokens();
        if (wasCut()) {
            return new Result(content.tokens(), content.tokens().length == 0 ? content.tokens() : came, true, "");
        }
        boolean same = reply.stopReason() == stopReason();
        String end = stopReason() + " was recorded, " + reply.stopReason() + " came";
        return new Result(content.tokens(), came, same, end);
    }

    /** {@return one line about what it is of} */
    @Override
    public String toString() {
        return "record of " + content.tokens().length + " tokens after " + content.prompt().length + " by "
                + (content.modelName().isEmpty() ? "a model" : content.modelName());
    }
}
