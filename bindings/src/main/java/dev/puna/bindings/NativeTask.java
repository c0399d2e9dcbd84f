// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A long piece of work, watched and cancelled from other threads. Pass it to the call that works. Any thread. */
public final class NativeTask extends NativeObject {
    private NativeTask(MemorySegment address) {
        super("task", address, PunaH::puna_task_destroy, null);
    }

    /**
     * How far the work is.
     *
     * @param done bytes
     * @param total bytes; 0 before it is known
     */
    public record Progress(long done, long total) {}

    /**
     * Creates a task.
     *
     * @return a new one, to be closed
     */
    public static NativeTask create() {
        try (Call call = new Call()) {
            MemorySegment out = call.pointer();
            call.check(PunaH.puna_task_create(out, call.error()));
            return new NativeTask(out.get(PunaH.C_POINTER, 0));
        }
    }

    /** Makes the work end soon with {@link NativeStatus#CANCELLED}. */
    public void cancel() {
        try (Handle.Use task = use()) {
            PunaH.puna_task_cancel(task.address());
        }
    }

    /**
     * How far the work is.
     *
     * @return a snapshot
     */
    public Progress progress() {
        try (Handle.Use task = use();
                Call call = new Call()) {
            MemorySegment values = call.longs(2);
            PunaH.puna_task_progress(task.address(), values, values.asSlice(Long.BYTES));
            return new Progress(
                    values.getAtIndex(ValueLayout.JAVA_LONG, 0), values.getAtIndex(ValueLayout.JAVA_LONG, 1));
        }
    }
}
