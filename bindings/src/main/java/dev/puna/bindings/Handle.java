// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One native object: open, in use by any number of calls, or closed.
 *
 * <p>Invariant: the object is freed exactly once, after it was closed and its last use ended; a living child counts as
 * a use of its parent. So closing in any order, twice, or while another thread computes can't free what is in use: a
 * call that began before {@code close} finishes, one that begins after it throws. {@code close} never waits.
 *
 * <p>Closing a parent closes its children first. Any thread.
 */
final class Handle {
    private final String what;
    private final MemorySegment address;
    private final Consumer<MemorySegment> free;
    private final @Nullable Handle parent;
    private final Throwable opened;
    private final Set<Handle> children = new LinkedHashSet<>();
    private int uses;
    private boolean closed;
    private boolean freed;

    /**
     * Takes over an object.
     *
     * @param what its kind and name, for messages
     * @param address of the object
     * @param free gives it back
     * @param parent what it lives on, already in use by the caller, or null
     */
    Handle(String what, MemorySegment address, Consumer<MemorySegment> free, @Nullable Handle parent) {
        this.what = what;
        this.address = address;
        this.free = free;
        this.parent = parent;
        this.opened = new Throwable(what);
        if (parent != null) {
            parent.adopt(this);
        }
    }

    /** A use of the object; keeps its owner reachable, too. */
    static final class Use implements AutoCloseable {
        private final Handle handle;
        private final Object owner;

        private Use(Handle handle, Object owner) {
            this.handle = handle;
            this.owner = owner;
        }

        /** The object's address, valid until this is closed. */
        MemorySegment address() {
            return handle.address;
        }

        @Override
        public void close() {
            try {
                handle.leave();
            } finally {
                Reference.reachabilityFence(owner);
            }
        }
    }

    /**
     * Begins a use.
     *
     * @throws NativeClosedException if the object is closed
     */
    Use use(Object owner) {
        synchronized (this) {
            if (closed) {
                throw new NativeClosedException(what);
            }
            uses++;
        }
        return new Use(this, owner);
    }

    synchronized boolean isClosed() {
        return closed;
    }

    /** The child is a use of its own; the caller's use guarantees that this object is not freed yet. */
    private void adopt(Handle child) {
        boolean late;
        synchronized (this) {
            uses++;
            children.add(child);
            late = closed;
        }
        if (late) {
            child.close();
        }
    }

    private void leave() {
        boolean last;
        synchronized (this) {
            uses--;
            last = mustFree();
        }
        if (last) {
            free();
        }
    }

    /** Closes it, children first; without effect when it is closed already. */
    void close() {
        List<Handle> living;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            living = new ArrayList<>(children);
        }
        living.forEach(Handle::close);
        boolean last;
        synchronized (this) {
            last = mustFree();
        }
        if (last) {
            free();
        }
    }

    /** Its owner is unreachable: reported and closed, unless it was closed properly. */
    void abandoned() {
        if (!isClosed()) {
            NativeLeaks.report(what, opened);
            close();
        }
    }

    private boolean mustFree() {
        if (!closed || uses > 0 || freed) {
            return false;
        }
        freed = true;
        return true;
    }

    private void free() {
        free.accept(address);
        if (parent != null) {
            synchronized (parent) {
                parent.children.remove(this);
            }
            parent.leave();
        }
    }
}
