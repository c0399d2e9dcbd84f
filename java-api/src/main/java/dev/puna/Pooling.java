// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** What a text's vector is made of: the last states of its tokens. */
public enum Pooling {
    /** What the model was trained for, as its file says; else the mean, or a decoder's last token. */
    MODEL,
    /** The mean of all tokens. */
    MEAN,
    /** The first token: an encoder's {@code [CLS]}. */
    FIRST,
    /** The last token. */
    LAST
}
