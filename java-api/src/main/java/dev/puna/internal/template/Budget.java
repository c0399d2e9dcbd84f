// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

/** What one rendering has used of its {@link Limits}. */
final class Budget {
    private static final int ELEMENT = 16;
    private static final int COPY = 64;

    private final Limits limits;
    private final long maxAllocation;
    private long steps;
    private long allocated;
    private int depth;

    Budget(Limits limits, long inputCharacters) {
        this.limits = limits;
        this.maxAllocation = limits.maxAllocation() + 32 * inputCharacters;
    }

    void step() {
        spend(1);
    }

    /** A string of so many characters is about to be made. */
    void characters(long count) {
        longest(count);
        allocate(count);
        spend(count / COPY);
    }

    /** Checks the length of one string. */
    void longest(long count) {
        if (count > limits.maxCharacters()) {
            throw new Failure("a text of " + count + " characters is over the limit of " + limits.maxCharacters());
        }
    }

    /** A list or dict of so many elements is about to be made. */
    void elements(long count) {
        allocate(Math.multiplyExact(count, (long) ELEMENT));
        spend(count / 4);
    }

    void range(long count) {
        if (count > limits.maxRange()) {
            throw new Failure("a range of " + count + " numbers is over the limit of " + limits.maxRange());
        }
        elements(count);
    }

    /** Looking through so many characters without copying them. */
    void scan(long count) {
        spend(count / COPY);
    }

    void enter() {
        if (++depth > limits.maxDepth()) {
            throw new Failure("nested deeper than the limit of " + limits.maxDepth());
        }
    }

    void leave() {
        depth--;
    }

    private void spend(long count) {
        steps += count;
        if (steps > limits.maxSteps()) {
            throw new Failure("takes more than the limit of " + limits.maxSteps() + " steps (an endless loop?)");
        }
    }

    private void allocate(long count) {
        allocated += count;
        if (allocated > maxAllocation) {
            throw new Failure("makes more text than the limit of " + maxAllocation + " characters in all");
        }
    }
}
