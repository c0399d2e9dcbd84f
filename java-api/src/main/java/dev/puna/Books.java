// SPDX-License-Identifier: Apache-2.0
package dev.puna;

/** Who keeps books about a generation: a chat. */
interface Books {
    /** Those of a request that nobody remembers. */
    Books NONE = new Books() {};

    /** The generation runs. */
    default void started(Settlement settlement) {}

    /** It ended with a reply, whole or partial; told before the caller gets it, perhaps more than once. */
    default void settled(Reply reply) {}

    /** It did not begin, or failed; perhaps told after {@link #settled}, which then counts. */
    default void failed() {}
}
