// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeEngineInfo;

/**
 * What a context is doing and has done: gauges and counters for those who watch it. Immutable.
 *
 * <pre>{@code
 * Statistics now = context.statistics();
 * System.out.println(now.waiting() + " wait, " + now.generatedTokens() + " tokens were generated");
 * }</pre>
 */
public final class Statistics {
    private final NativeEngineInfo info;

    Statistics(NativeEngineInfo info) {
        this.info = info;
    }

    /** {@return requests in the batch; a search counts once, however many beams it has} */
    public int running() {
        return info.running();
    }

    /** {@return requests in the queue} */
    public int waiting() {
        return info.waiting();
    }

    /** {@return sequences that are open and do nothing: chats between their turns} */
    public int idle() {
        return Math.max(0, info.sequences() - info.running() - info.waiting() - info.paused());
    }

    /** {@return sequences whose generation is held back, since their reader lags or their logits hook takes long} */
    public int paused() {
        return info.paused();
    }

    /** {@return pages of the cache in use: of sequences that are running, waiting, paused or idle} */
    public long pagesUsed() {
        return info.pagesUsed();
    }

    /** {@return further pages that nobody uses, kept since a prompt may begin alike; given up when pages run out} */
    public long pagesCached() {
        return info.pagesCached();
    }

    /** {@return pages that the budget allows} */
    public long pagesTotal() {
        return info.pagesTotal();
    }

    /** {@return bytes of one page} */
    public long pageBytes() {
        return info.pageBytes();
    }

    /** {@return memory of the context, in bytes} */
    public long memoryBytes() {
        return info.memoryBytes();
    }

    /** {@return rounds since the context was made; so are all counts below} */
    public long steps() {
        return info.steps();
    }

    /** {@return tokens of prompts that were computed} */
    public long promptTokens() {
        return info.promptTokens();
    }

    /** {@return tokens of prompts that the cache held already} */
    public long cachedTokens() {
        return info.prefixHitTokens();
    }

    /** {@return tokens generated} */
    public long generatedTokens() {
        return info.generatedTokens();
    }

    /** {@return tokens that were guessed ahead and computed, where {@link Speculation} is on} */
    public long draftedTokens() {
        return info.draftedTokens();
    }

    /** {@return of those, the ones that were right: generated without a step of their own} */
    public long acceptedTokens() {
        return info.acceptedTokens();
    }

    /** {@return times that a sequence lost its pages to another one; they are computed again when needed} */
    public long evictions() {
        return info.evictions();
    }

    @Override
    public String toString() {
        return running() + " running, " + waiting() + " waiting, " + paused() + " paused, " + idle() + " idle; "
                + pagesUsed() + " of " + pagesTotal() + " pages, " + pagesCached() + " more kept; "
                + promptTokens() + " prompt tokens, " + cachedTokens() + " from the cache, "
                + generatedTokens() + " generated" + drafts() + "; " + evictions() + " evictions";
    }

    private String drafts() {
        return draftedTokens() == 0 ? "" : ", " + acceptedTokens() + " of " + draftedTokens() + " guesses right";
    }
}
