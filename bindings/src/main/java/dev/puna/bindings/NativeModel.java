// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_model_info;
import dev.puna.bindings.gen.puna_model_options;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Weights, packed for this processor, with their tokenizer and file. Immutable; any thread. */
public final class NativeModel extends NativeObject {
    private final MemorySegment model;
    private final NativeTokenizer tokenizer;
    private final NativeFile file;

    private NativeModel(Path path, MemorySegment model) {
        super("model " + path, model, PunaH::puna_model_close, null);
        this.model = model;
        this.tokenizer = new NativeTokenizer(this, PunaH.puna_model_tokenizer(model));
        this.file = new NativeFile(this, PunaH.puna_model_file(model));
    }

    /**
     * A model's properties.
     *
     * @param architecture for example {@code llama}
     * @param name what the file calls it, maybe cut; may be empty
     * @param type what most weights are stored as
     * @param layers how many
     * @param contextLength positions that it was trained for
     * @param embeddingLength numbers a position
     * @param feedForwardLength numbers inside a feed-forward block
     * @param heads attention heads
     * @param headsKv of those with keys and values of their own
     * @param headDimension numbers a head
     * @param vocabulary token ids
     * @param parameters weights in the file
     * @param fileBytes the file's size
     * @param memoryBytes accounted to the model now
     * @param fingerprint of the file's header and size
     * @param capabilities {@code PUNA_CAN_*}
     * @param labels numbers that its classifier gives of a text; 0: it has none
     * @param pooling what its vectors are made of unless one asks
     */
    public record Info(
            String architecture,
            String name,
            String type,
            int layers,
            int contextLength,
            int embeddingLength,
            int feedForwardLength,
            int heads,
            int headsKv,
            int headDimension,
            int vocabulary,
            long parameters,
            long fileBytes,
            long memoryBytes,
            long fingerprint,
            int capabilities,
            int labels,
            NativeEmbedding.Pooling pooling) {
        /** {@return whether it continues texts} */
        public boolean generates() {
            return (capabilities & PunaH.PUNA_CAN_GENERATE()) != 0;
        }

        /** {@return whether it makes vectors of texts} */
        public boolean embeds() {
            return (capabilities & PunaH.PUNA_CAN_EMBED()) != 0;
        }

        /** {@return whether it has a classifier} */
        public boolean scores() {
            return (capabilities & PunaH.PUNA_CAN_SCORE()) != 0;
        }

        /** {@return whether it is an encoder-decoder} */
        public boolean transforms() {
            return (capabilities & PunaH.PUNA_CAN_TRANSFORM()) != 0;
        }

        /** {@return whether it is a masked language model} */
        public boolean fills() {
            return (capabilities & PunaH.PUNA_CAN_FILL()) != 0;
        }
    }

    /**
     * Loads a model. Takes as long as reading the file: call it on a platform thread.
     *
     * @param path a GGUF file of the default file system
     * @param threads that pack weights; 0: the default
     * @param task tells how far it is and can cancel; may be null
     * @return the model, to be closed
     * @throws NativeException if it can't be read, is invalid or unsupported, memory is short, or the task was
     *     cancelled
     */
    public static NativeModel load(Path path, int threads, @Nullable NativeTask task) {
        if (task == null) {
            return load(path, threads, MemorySegment.NULL);
        }
        try (Handle.Use use = task.use()) {
            return load(path, threads, use.address());
        }
    }

    private static NativeModel load(Path path, int threads, MemorySegment task) {
        try (Call call = new Call()) {
            MemorySegment options = call.struct(puna_model_options.layout());
            PunaH.puna_model_options_default(options);
            puna_model_options.threads(options, threads);
            MemorySegment out = call.pointer();
            call.check(PunaH.puna_model_load(call.text(Paths.bytes(path)), options, task, out, call.error()));
            return new NativeModel(path, out.get(PunaH.C_POINTER, 0));
        }
    }

    /**
     * The model's properties.
     *
     * @return a snapshot: the memory in use may change
     */
    public Info info() {
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment info = call.struct(puna_model_info.layout());
            PunaH.puna_model_describe(model, info);
            return new Info(
                    puna_model_info.architecture(info).getString(0),
                    puna_model_info.name(info).getString(0),
                    puna_model_info.type(info).getString(0),
                    puna_model_info.layers(info),
                    puna_model_info.context_length(info),
                    puna_model_info.embedding_length(info),
                    puna_model_info.feed_forward_length(info),
                    puna_model_info.heads(info),
                    puna_model_info.heads_kv(info),
                    puna_model_info.head_dimension(info),
                    puna_model_info.vocabulary(info),
                    puna_model_info.parameters(info),
                    puna_model_info.file_bytes(info),
                    puna_model_info.memory_bytes(info),
                    puna_model_info.fingerprint(info),
                    puna_model_info.capabilities(info),
                    puna_model_info.labels(info),
                    NativeEmbedding.Pooling.values()[puna_model_info.pooling(info)]);
        }
    }

    /**
     * The model's tokenizer.
     *
     * @return the same at every call; open as long as the model is
     */
    public NativeTokenizer tokenizer() {
        return tokenizer;
    }

    /**
     * The model's file.
     *
     * @return the same at every call; open as long as the model is
     */
    public NativeFile file() {
        return file;
    }
}
