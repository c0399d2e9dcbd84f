// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeEmbedding;
import dev.puna.bindings.NativeFile;
import dev.puna.bindings.NativeModel;
import dev.puna.internal.ChatFormat;
import dev.puna.internal.Failures;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What a model can do, by what its file says, and how it says so where it can't. Immutable; any thread. */
final class Abilities {
    private final NativeModel model;
    private final ModelInfo info;
    private final Supplier<ChatFormat> format;

    Abilities(NativeModel model, ModelInfo info, Supplier<ChatFormat> format) {
        this.model = model;
        this.info = info;
        this.format = format;
    }

    /** {@return what the model can do} */
    Set<Capability> all() {
        Set<Capability> all = EnumSet.noneOf(Capability.class);
        NativeModel.Info can = Failures.mapped(model::info);
        if (can.embeds()) {
            all.add(Capability.EMBED);
        }
        if (can.scores()) {
            all.add(can.labels() == 1 ? Capability.RERANK : Capability.CLASSIFY);
        }
        if (can.fills()) {
            all.add(Capability.FILL_MASK);
        }
        if (!can.generates()) {
            return all;
        }
        all.add(Capability.GENERATE);
        if (can.transforms()) {
            all.add(Capability.TEXT_TO_TEXT);
            return all; // its decoder answers one text, whatever template its file may have
        }
        ChatFormat chat = format.get();
        if (chat.isOwn()) {
            all.add(Capability.CHAT);
        }
        if (chat.mentions("tools")) {
            all.add(Capability.TOOLS);
        }
        if (chat.mentions("enable_thinking")) {
            all.add(Capability.THINKING);
        }
        return all;
    }

    /** Fails unless the model can do something: says what it is and can. */
    void refuseUnless(Capability needed, String what) {
        Set<Capability> can = all();
        if (!can.contains(needed)) {
            throw cant(what, can);
        }
    }

    /** An encoder-decoder has no place for what was said before. */
    void refuseConversation() {
        if (Failures.mapped(model::info).transforms()) {
            throw cant("hold a conversation", all());
        }
    }

    private UnsupportedModelException cant(String what, Set<Capability> can) {
        return new UnsupportedModelException(
                "this model (" + info.architecture() + ") can't " + what + "; its capabilities are " + can);
    }

    /** A text of the file's own keys, {@code ARCHITECTURE.NAME}; null if there is none. */
    @Nullable
    String entry(String name) {
        return Failures.mapped(() -> ownText(name));
    }

    private @Nullable String ownText(String name) {
        NativeFile file = model.file();
        long index = file.find(info.architecture() + "." + name);
        return index < 0 || file.metadata(index).type() != NativeFile.Type.STRING ? null : file.string(index, 0);
    }

    NativeEmbedding.Pooling pooling() {
        return Failures.mapped(() -> model.info().pooling());
    }

    int labelCount() {
        return Failures.mapped(() -> model.info().labels());
    }

    /** The labels of a classifier, as its file names them, in the model's order; empty if it has no classifier. */
    List<String> labels() {
        int count = labelCount();
        List<String> named = count == 0 ? List.of() : Failures.mapped(this::namedLabels);
        if (named.size() == count) {
            return named;
        }
        return IntStream.range(0, count).mapToObj(i -> "LABEL_" + i).toList();
    }

    private List<String> namedLabels() {
        NativeFile file = model.file();
        long index = file.find(info.architecture() + ".classifier.output_labels");
        if (index < 0) {
            return List.of();
        }
        List<String> all = new ArrayList<>();
        for (long i = 0; i < file.metadata(index).count(); i++) {
            all.add(file.string(index, i));
        }
        return List.copyOf(all);
    }
}
