// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

/**
 * A sequence of the engine, opened when it is first needed. A chat keeps one between its turns; a single request uses
 * one once. Its fields belong to the engine's thread.
 */
public final class Slot {
    final boolean once;
    boolean open;
    boolean released; // nothing may be started in it any more
    long id;

    private Slot(boolean once) {
        this.once = once;
    }

    /** {@return a slot that is given back when its generation ends} */
    public static Slot once() {
        return new Slot(true);
    }

    /** {@return a slot that stays until it is released} */
    public static Slot kept() {
        return new Slot(false);
    }
}
