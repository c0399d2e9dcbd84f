// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** What a model can do. More may be added. */
public enum Capability {
    /** Continue a text. */
    GENERATE,
    /** Hold a conversation: it has a chat template. */
    CHAT,
    /** Its chat template takes descriptions of tools. */
    TOOLS,
    /** Its chat template can switch reasoning on and off. */
    THINKING,
    /** Make vectors of texts. */
    EMBED,
    /** Score documents by a query. */
    RERANK,
    /** Tell which of its labels a text has. */
    CLASSIFY,
    /** Fill masked words. */
    FILL_MASK,
    /** Turn a text into another one: an encoder reads it, a decoder answers. */
    TEXT_TO_TEXT
}
