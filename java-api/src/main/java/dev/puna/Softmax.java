// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** Probabilities of logits. */
final class Softmax {
    private Softmax() {}

    /** {@return as many as there are logits, which add up to 1; summed in their order} */
    static float[] of(float[] logits) {
        double most = Double.NEGATIVE_INFINITY;
        double sum = 0;
        for (float number : logits) {
            most = Math.max(most, number);
        }
        for (float number : logits) {
            sum += Math.exp(number - most);
        }
        float[] all = new float[logits.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) (Math.exp(logits[i] - most) / sum);
        }
        return all;
    }
}
