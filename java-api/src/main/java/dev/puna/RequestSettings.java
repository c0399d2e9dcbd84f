// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeBeams;
import dev.puna.bindings.NativeGeneration;
import dev.puna.bindings.NativeGrammar;
import dev.puna.internal.engine.Generation;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** What a request asks for beside its input, checked when it is said. One thread. */
final class RequestSettings {
    private static final Sampler DEFAULT =
            Sampler.of(Sampler.topK(40), Sampler.topP(.95f), Sampler.minP(.05f), Sampler.temperature(.8f));
    private static final int FRAME = -2;
    private static final Duration FOREVER = Duration.ofDays(10_000);

    private int maxTokens;
    private Sampler sampler = DEFAULT;
    private List<String> stops = List.of();
    private @Nullable Duration timeout;
    private boolean logprobs;
    private int topLogprobs;
    private boolean ignoreEnd;
    private @Nullable String grammar;
    private int keep = -1; // tokens that a full context never drops, or FRAME; -1: it drops none, but ends
    private @Nullable Consumer<? super Logits> hook;
    private boolean drafts = true;
    private List<NativeAdapter.Use> adapters = List.of();
    private int beams = 1;
    private float lengthPenalty = 1;
    private EarlyStopping earlyStopping = EarlyStopping.NO;

    void maxTokens(int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("maxTokens is " + tokens + "; it must be at least 1");
        }
        maxTokens = tokens;
    }

    void sampler(Sampler value) {
        sampler = value;
    }

    void stop(String... texts) {
        if (texts.length > 64) {
            throw new IllegalArgumentException(texts.length + " stop strings; at most 64 are possible");
        }
        for (String text : texts) {
            if (text.isEmpty()) {
                throw new IllegalArgumentException("a stop string is empty");
            }
        }
        stops = List.of(texts);
    }

    void timeout(Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException("timeout is " + value + "; it must be more than nothing");
        }
        timeout = value;
    }

    void beams(int count) {
        if (count < 1 || count > 32) {
            throw new IllegalArgumentException("beams is " + count + "; it may be 1 to 32");
        }
        beams = count;
    }

    void lengthPenalty(float power) {
        if (!(power >= -100 && power <= 100)) {
            throw new IllegalArgumentException("lengthPenalty is " + power + "; it may be -100 to 100");
        }
        lengthPenalty = power;
    }

    void earlyStopping(EarlyStopping when) {
        earlyStopping = Objects.requireNonNull(when, "earlyStopping");
    }

    void logprobs(int top) {
        if (top < 0 || top > 64) {
            throw new IllegalArgumentException("logprobs is " + top + "; it may be 0 to 64");
        }
        logprobs = true;
        topLogprobs = top;
    }

    void ignoreEnd() {
        ignoreEnd = true;
    }

    void withoutSpeculation() {
        drafts = false;
    }

    void adapter(NativeAdapter.Use one) {
        adapters = Adapter.with(adapters, one);
    }

    /** Those of all requests of a kind, then the request's own. */
    List<NativeAdapter.Use> adapters(List<NativeAdapter.Use> inherited) {
        List<NativeAdapter.Use> all = inherited;
        for (NativeAdapter.Use one : adapters) {
            all = Adapter.with(all, one);
        }
        return all;
    }

    void grammar(@Nullable String gbnf) {
        grammar = gbnf;
    }

    /** The grammar that was asked for; null: none. */
    @Nullable
    String grammar() {
        return grammar;
    }

    void logits(Consumer<? super Logits> value) {
        hook = Objects.requireNonNull(value, "logits");
    }

    void keepFrame() {
        keep = FRAME;
    }

    void keep(int keeping) {
        if (keeping < 0) {
            throw new IllegalArgumentException("contextShift keeps " + keeping + " tokens; it must be at least 0");
        }
        keep = keeping;
    }

    /** Tokens at the front that a full context keeps: the prompt's own, what was said, or what holds without a word. */
    int kept(IntSupplier frame, int otherwise) {
        return keep == FRAME ? frame.getAsInt() : keep >= 0 ? keep : otherwise;
    }

    /** By System.nanoTime, of something that begins now. */
    long deadline(long begun) {
        if (timeout == null || timeout.compareTo(FOREVER) > 0) {
            return Long.MAX_VALUE;
        }
        return begun + timeout.toNanos();
    }

    /**
     * All that the core is told.
     *
     * @param kept tokens that a full context keeps; -1: it ends the generation
     * @param used all adapters
     */
    NativeGeneration generation(Model model, int kept, List<NativeAdapter.Use> used) {
        NativeGrammar compiled = grammar == null ? null : model.grammars().of(grammar);
        boolean searches = beams > 1;
        Sampler chosen = searches && sampler == DEFAULT ? Sampler.greedy() : sampler;
        return NativeGeneration.of(c -> {
            c.maxTokens = maxTokens;
            c.seed = chosen.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong());
            c.stages = chosen.stages();
            c.stops = stops;
            c.logprobs = logprobs;
            c.topLogprobs = topLogprobs;
            c.ignoreEos = ignoreEnd;
            c.biases = chosen.biases();
            c.breakers = chosen.breakers();
            c.grammar = compiled;
            c.keep = kept;
            c.shown = hook != null;
            c.drafts = drafts;
            c.adapters = used;
            c.beams = searches ? new NativeBeams(beams, lengthPenalty, earlyStopping.code()) : null;
        });
    }

    /** The caller's hook sees an object that is of no use afterwards. */
    Generation.Hook look() {
        Consumer<? super Logits> told = hook;
        return (row, tokens) -> {
            if (told != null) {
                Logits logits = new Logits(row, tokens);
                try {
                    told.accept(logits);
                } finally {
                    logits.expire();
                }
            }
        };
    }
}
