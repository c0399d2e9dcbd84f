// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The owner of a native object. Closing is allowed at any time, from any thread, any number of times: calls that run
 * finish, later ones throw {@link NativeClosedException}. One that is forgotten is freed and reported with the place
 * where it was opened.
 */
public abstract sealed class NativeObject implements AutoCloseable
        permits NativeAdapter,
                NativeEngine,
                NativeFile,
                NativeGrammar,
                NativeModel,
                NativeTask,
                NativeTokenizer,
                NativeWriter {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Handle handle;
    private final Cleaner.@Nullable Cleanable cleanable;
    /** Keeps what this object lives on reachable, so that it is not taken for forgotten. */
    @SuppressWarnings("unused")
    private final @Nullable NativeObject keptAlive;

    /** Owns a new object; the caller has `on` in use. */
    NativeObject(String what, MemorySegment address, Consumer<MemorySegment> free, @Nullable NativeObject on) {
        this.handle = new Handle(what, address, free, on == null ? null : on.handle);
        this.cleanable = CLEANER.register(this, handle::abandoned);
        this.keptAlive = on;
    }

    /** Owns a new object that is a value: nobody has to close it, and one that is not reachable any more is freed. */
    NativeObject(String what, MemorySegment address, Consumer<MemorySegment> free) {
        this.handle = new Handle(what, address, free, null);
        this.cleanable = CLEANER.register(this, handle::close);
        this.keptAlive = null;
    }

    /** A part of another object, open as long as that is. */
    NativeObject(NativeObject whole) {
        this.handle = whole.handle;
        this.cleanable = null;
        this.keptAlive = whole;
    }

    /** Begins a use of the native object that owns this one's memory. */
    final Handle.Use use() {
        return handle.use(this);
    }

    /**
     * Whether it was closed.
     *
     * @return true from the moment {@link #close()} was called, even while earlier calls still run
     */
    public final boolean isClosed() {
        return handle.isClosed();
    }

    /** Closes it; without effect the second time, and for a part of another object. */
    @Override
    public final void close() {
        if (cleanable != null) {
            handle.close();
            cleanable.clean();
        }
    }
}
