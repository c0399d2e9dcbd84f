// SPDX-License-Identifier: Apache-2.0
package dev.puna.soak;

/** How a request may end. */
enum Outcome {
    /** With a whole answer. */
    COMPLETED,
    /** Its caller, or who closed its stream, wanted no more. */
    CANCELLED,
    TIMED_OUT,
    /** Its caller's thread was interrupted. */
    INTERRUPTED,
    /** Its stream was forgotten: nobody saw how it ended. */
    ABANDONED,
    /** The queue was full. */
    REFUSED,
    /** Its chat or its context was closed. */
    CLOSED
}
