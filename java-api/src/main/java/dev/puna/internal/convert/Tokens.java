// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A vocabulary while it is put together: a text, a kind and a score for each id; what nobody sets is unused. */
final class Tokens {
    static final int NORMAL = 1;
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
    static final int UNUSED = 5;
    static final int BYTE = 6;

    private static final int MOST = 1 << 24;

    private final String file;
    private final Map<Integer, byte[]> texts = new HashMap<>();
    private final int[] kinds;
    private final float[] scores;
    private final Map<String, Integer> ids = new HashMap<>();

    Tokens(String file, int size) {
        if (size < 1 || size > MOST) {
            throw Damage.in(file, "", "a vocabulary of " + size + " tokens lies outside 1 to " + MOST);
        }
        this.file = file;
        kinds = new int[size];
        scores = new float[size];
        Arrays.fill(kinds, UNUSED);
        Arrays.fill(scores, -10000);
    }

    int size() {
        return kinds.length;
    }

    private int checked(long id, String text) {
        if (id < 0 || id >= kinds.length) {
            throw Damage.in(
                    file,
                    text,
                    "has the id " + id + ", but the model has embeddings for " + kinds.length
                            + " tokens (vocab_size of config.json)");
        }
        return (int) id;
    }

    void set(long id, byte[] text, int kind, float score) {
        String spelled = new String(text, StandardCharsets.UTF_8);
        int at = checked(id, spelled);
        texts.put(at, text);
        kinds[at] = kind;
        scores[at] = score;
        ids.putIfAbsent(spelled, at);
    }

    void set(long id, String text, int kind, float score) {
        set(id, text.getBytes(StandardCharsets.UTF_8), kind, score);
    }

    int kind(long id) {
        return kinds[checked(id, "a token")];
    }

    String text(int id) {
        byte[] text = texts.get(id);
        return text == null ? "" : new String(text, StandardCharsets.UTF_8);
    }

    void score(long id, float score) {
        scores[checked(id, "a token")] = score;
    }

    /** The id of a spelling, or -1. */
    int find(String text) {
        return ids.getOrDefault(text, -1);
    }

    /** Names what has none, and writes all; scores only where they count. */
    void write(Entries e, boolean scored) {
        write(e, scored, "");
    }

    /** Likewise; what stands in front of the names that are given here. */
    void write(Entries e, boolean scored, String mark) {
        List<byte[]> all = new ArrayList<>(size());
        for (int id = 0; id < size(); id++) {
            byte[] text = texts.get(id);
            all.add(text != null ? text : (mark + "[PAD" + id + "]").getBytes(StandardCharsets.UTF_8));
        }
        e.tokens("tokenizer.ggml.tokens", all);
        if (scored) {
            e.reals("tokenizer.ggml.scores", scores);
        }
        e.integers("tokenizer.ggml.token_type", kinds);
    }

    /** Some models mark tokens as plain that are for control. */
    static boolean looksSpecial(String text) {
        return List.of("<pad>", "<mask>", "<2mass>", "[@BOS@]").contains(text)
                || text.startsWith("<|") && text.endsWith("|>")
                || text.startsWith("<\uFF5C") && text.endsWith("\uFF5C>")
                || text.startsWith("<unused") && text.endsWith(">");
    }

    /** A token that was added to a vocabulary: files spell a plain one as it stands in a text. */
    void add(long id, String text, boolean special, float score) {
        boolean control = special || looksSpecial(text);
        set(id, control ? text : text.replace('\u2581', ' '), control ? CONTROL : USER_DEFINED, score);
    }
}
