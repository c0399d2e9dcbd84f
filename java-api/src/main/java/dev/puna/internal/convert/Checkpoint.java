// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.ModelNotFoundException;
import dev.puna.internal.convert.Safetensors.Stored;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The weights of a folder: one file of safetensors or several that an index lists. Any thread may read. */
final class Checkpoint implements AutoCloseable {
    private final List<Safetensors> files = new ArrayList<>();
    private final Map<String, Stored> tensors = new LinkedHashMap<>();

    private Checkpoint() {}

    static Checkpoint open(Folder folder, String stem) {
        Checkpoint all = new Checkpoint();
        try {
            String index = stem + ".safetensors.index.json";
            if (folder.has(index)) {
                all.readIndex(folder, folder.json(index));
            } else if (folder.has(stem + ".safetensors")) {
                all.add(folder, stem + ".safetensors");
            } else {
                throw missing(folder, stem);
            }
            return all;
        } catch (RuntimeException | Error e) {
            all.close();
            throw e;
        }
    }

    private static ModelNotFoundException missing(Folder folder, String stem) {
        String others = folder.first("pytorch_model.bin", "pytorch_model.bin.index.json", "adapter_model.bin") != null
                ? "; its weights are pickled (.bin), which could run any code: save them as safetensors first"
                : "";
        return new ModelNotFoundException(folder.path() + ": has neither " + stem + ".safetensors nor " + stem
                + ".safetensors.index.json" + others);
    }

    private void readIndex(Folder folder, Config index) {
        Config map = index.object("weight_map");
        TreeSet<String> names = new TreeSet<>();
        for (String tensor : map.map().keySet()) {
            String file = map.text(tensor, "");
            if (!file.endsWith(".safetensors") || file.contains("/") || file.contains("\\") || file.contains("..")) {
                throw index.wrong(
                        tensor, "is said to lie in \"" + Damage.quote(file) + "\", which is no file of this folder");
            }
            names.add(file);
        }
        if (names.isEmpty()) {
            throw index.wrong("weight_map", "is missing or empty");
        }
        names.forEach(name -> add(folder, name));
        for (String tensor : map.map().keySet()) {
            Stored found = tensors.get(tensor);
            if (found == null || !found.file().name().equals(map.text(tensor))) {
                throw index.wrong(tensor, "is not in " + map.text(tensor) + ", where the index says that it is");
            }
        }
    }

    private void add(Folder folder, String name) {
        Safetensors file = Safetensors.open(folder.path(), name);
        files.add(file);
        file.tensors().forEach((tensor, stored) -> {
            if (tensors.put(tensor, stored) != null) {
                throw Damage.in(name, tensor, "it is in another file of the model, too");
            }
        });
    }

    Map<String, Stored> tensors() {
        return tensors;
    }

    @Override
    public void close() {
        files.forEach(Safetensors::close);
    }
}
