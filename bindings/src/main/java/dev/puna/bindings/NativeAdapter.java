// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_adapter_info;
import dev.puna.bindings.gen.puna_adapter_use;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A low-rank adapter of one model. Immutable; any thread; sequences that use it when it is closed keep it. */
public final class NativeAdapter extends NativeObject {
    private final Info info;

    private NativeAdapter(Path path, MemorySegment adapter) {
        super("adapter " + path, adapter, PunaH::puna_adapter_close, null);
        this.info = describe(adapter);
    }

    /** The most that can be used at once. */
    public static final int MOST = PunaH.PUNA_MAX_ADAPTERS();

    /**
     * One of the adapters of a generation.
     *
     * @param adapter which
     * @param weight what it counts
     */
    public record Use(NativeAdapter adapter, float weight) {}

    /**
     * An adapter's properties.
     *
     * @param name what the file calls it; may be empty
     * @param rank the largest of its tensors
     * @param tensors of the model, that it changes
     * @param alpha as the file has it
     * @param parameters numbers in it
     * @param memoryBytes accounted to it
     * @param fingerprint of all that the file says
     */
    public record Info(
            String name, int rank, int tensors, float alpha, long parameters, long memoryBytes, long fingerprint) {}

    /**
     * Loads an adapter. Takes as long as reading the file: call it on a platform thread.
     *
     * @param model whose it is
     * @param path a GGUF file of the default file system
     * @param task can cancel; may be null
     * @return the adapter, to be closed
     * @throws NativeException if it can't be read, is invalid, unsupported, or another model's
     */
    public static NativeAdapter load(NativeModel model, Path path, @Nullable NativeTask task) {
        try (Handle.Use use = model.use()) {
            if (task == null) {
                return load(use.address(), path, MemorySegment.NULL);
            }
            try (Handle.Use watched = task.use()) {
                return load(use.address(), path, watched.address());
            }
        }
    }

    private static NativeAdapter load(MemorySegment model, Path path, MemorySegment task) {
        try (Call call = new Call()) {
            MemorySegment out = call.pointer();
            call.check(PunaH.puna_adapter_load(model, call.text(Paths.bytes(path)), task, out, call.error()));
            return new NativeAdapter(path, out.get(PunaH.C_POINTER, 0));
        }
    }

    /** {@return its properties, also when it is closed} */
    public Info info() {
        return info;
    }

    /** The adapters are in use while the call takes its own hold of them. */
    static void using(Call call, List<NativeAdapter.Use> from, Consumer<MemorySegment> work) {
        List<Handle.Use> uses = new ArrayList<>();
        try {
            MemorySegment to =
                    from.isEmpty() ? MemorySegment.NULL : call.allocate(puna_adapter_use.layout(), from.size());
            for (int i = 0; i < from.size(); i++) {
                Handle.Use use = from.get(i).adapter().use();
                uses.add(use);
                MemorySegment slot = puna_adapter_use.asSlice(to, i);
                puna_adapter_use.adapter(slot, use.address());
                puna_adapter_use.weight(slot, from.get(i).weight());
            }
            work.accept(to);
        } finally {
            uses.forEach(Handle.Use::close);
        }
    }

    private static Info describe(MemorySegment adapter) {
        try (Call call = new Call()) {
            MemorySegment info = call.struct(puna_adapter_info.layout());
            PunaH.puna_adapter_describe(adapter, info);
            return new Info(
                    puna_adapter_info.name(info).getString(0),
                    puna_adapter_info.rank(info),
                    puna_adapter_info.tensors(info),
                    puna_adapter_info.alpha(info),
                    puna_adapter_info.parameters(info),
                    puna_adapter_info.memory_bytes(info),
                    puna_adapter_info.fingerprint(info));
        }
    }
}
