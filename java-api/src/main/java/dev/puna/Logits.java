// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/**
 * The model's logits of one step, before a token is chosen: what a hook sees and may change. Of use while the hook
 * runs, on its thread; afterwards every method throws {@link IllegalStateException}.
 *
 * <pre>{@code
 * Reply reply = model.prompt("Roll a die: ").logits(l -> {
 *     for (int id = 0; id < l.size(); id++) {
 *         if (!digits.contains(id)) {
 *             l.set(id, Float.NEGATIVE_INFINITY); // bans it
 *         }
 *     }
 * }).reply();
 * }</pre>
 */
public final class Logits {
    private final float[] values;
    private final int[] tokens;
    private boolean expired;

    Logits(float[] values, int[] tokens) {
        this.values = values;
        this.tokens = tokens;
    }

    /** {@return how many there are: one for each token id, from 0} */
    public int size() {
        check();
        return values.length;
    }

    /**
     * One of them.
     *
     * @param id of the token
     * @return its logit
     */
    public float get(int id) {
        check();
        return values[id];
    }

    /**
     * Changes one.
     *
     * @param id of the token
     * @param value a finite number, or negative infinity, which bans the token; one at least must stay finite
     * @throws IllegalArgumentException if it is NaN or positive infinity
     */
    public void set(int id, float value) {
        check();
        if (!(value <= Float.MAX_VALUE)) {
            throw new IllegalArgumentException("the logit of token " + id + " can't be " + value
                    + "; it may be a finite number, or negative infinity to ban the token");
        }
        values[id] = value;
    }

    /**
     * All of them.
     *
     * @return a copy
     */
    public float[] toArray() {
        check();
        return values.clone();
    }

    /**
     * Changes all.
     *
     * @param all as many as there are; each as for {@link #set}
     * @throws IllegalArgumentException if there are more or fewer, or one is NaN or positive infinity
     */
    public void setAll(float[] all) {
        check();
        if (all.length != values.length) {
            throw new IllegalArgumentException(all.length + " logits were given; there are " + values.length);
        }
        for (int id = 0; id < all.length; id++) {
            set(id, all[id]);
        }
    }

    /** {@return the ids that were generated before this step: a copy} */
    public int[] tokens() {
        check();
        return tokens.clone();
    }

    void expire() {
        expired = true;
    }

    private void check() {
        if (expired) {
            throw new IllegalStateException("these logits are of a step that is over: use them within the hook alone");
        }
    }

    @Override
    public String toString() {
        return "logits of " + values.length + " tokens, after " + tokens.length;
    }
}
