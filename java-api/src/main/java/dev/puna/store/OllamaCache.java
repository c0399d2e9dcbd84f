// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.internal.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Ollama's models: {@code manifests/HOST/NAMESPACE/MODEL/TAG} names layers by checksum, which lie in {@code
 * blobs/sha256-HEX}. A reference is {@code ollama:} and what Ollama calls it; its library and the tag {@code latest}
 * may be left out. What it fetched from Hugging Face is found by {@code owner/repo:quantization} too. A model that is
 * made of several files, or of a base and an adapter, is none that can be used.
 */
final class OllamaCache implements ForeignCache {
    private static final String HOST = "registry.ollama.ai";
    private static final String NAMESPACE = "library";
    private static final List<String> HUBS = List.of("hf.co", "huggingface.co");
    private static final String MODEL = "application/vnd.ollama.image.model";
    private static final String ADAPTER = "application/vnd.ollama.image.adapter";

    private final List<Path> roots;

    OllamaCache(List<Path> roots) {
        this.roots = roots;
    }

    @Override
    public String title() {
        return "Ollama";
    }

    @Override
    public String tool() {
        return "ollama";
    }

    @Override
    public Optional<Found> find(String name) throws IOException {
        int colon = name.indexOf(':', name.lastIndexOf('/') + 1);
        String tag = colon < 0 ? "latest" : name.substring(colon + 1);
        String[] parts = (colon < 0 ? name : name.substring(0, colon)).split("/", -1);
        String path = switch (parts.length) {
            case 1 -> HOST + "/" + NAMESPACE + "/" + parts[0];
            case 2 -> HOST + "/" + parts[0] + "/" + parts[1];
            default -> String.join("/", parts);
        };
        for (Path root : roots) {
            Found found = read(root, root.resolve("manifests").resolve(path).resolve(tag));
            if (found != null) {
                return Optional.of(found);
            }
        }
        return Optional.empty();
    }

    @Override
    public Optional<Found> find(ModelReference.HubFile reference) throws IOException {
        if (reference.file() != null || !reference.revision().equals(ModelReference.HubFile.DEFAULT_REVISION)) {
            return Optional.empty(); // its manifests know no file names
        }
        String wanted = reference.selector() == null ? "latest" : reference.selector();
        for (Path root : roots) {
            for (String host : HUBS) {
                Path folder = root.resolve("manifests").resolve(host).resolve(reference.repository());
                for (String tag : ForeignFiles.entries(folder)) {
                    Found found = tag.equalsIgnoreCase(wanted) ? read(root, folder.resolve(tag)) : null;
                    if (found != null) {
                        return Optional.of(found);
                    }
                }
            }
        }
        return Optional.empty();
    }

    @Override
    public List<Found> find(String sha256, long size) {
        List<Found> all = new ArrayList<>();
        for (Path root : roots) {
            Path blob = blob(root, sha256);
            if (ForeignFiles.hasMagic(blob)) {
                all.add(new Found(blob, sha256, size, title()));
            }
        }
        return all;
    }

    private static Path blob(Path root, String sha256) {
        return root.resolve("blobs").resolve("sha256-" + sha256.toLowerCase(Locale.ROOT));
    }

    /** The only GGUF layer of a manifest; null if it has another number of them, or the file is not there. */
    private @Nullable Found read(Path root, Path manifest) throws IOException {
        if (!Files.isRegularFile(manifest)) {
            return null;
        }
        Object parsed;
        try {
            parsed = Json.parse(ForeignFiles.text(manifest));
        } catch (IllegalArgumentException e) {
            return null;
        }
        if (!(parsed instanceof Map<?, ?> whole) || !(whole.get("layers") instanceof List<?> layers)) {
            return null;
        }
        List<Found> models = new ArrayList<>();
        for (Object one : layers) {
            if (!(one instanceof Map<?, ?> layer) || ADAPTER.equals(layer.get("mediaType"))) {
                return null;
            }
            if (MODEL.equals(layer.get("mediaType"))
                    && layer.get("digest") instanceof String digest
                    && digest.startsWith("sha256:")
                    && Hashes.isSha256(digest.substring(7))) {
                String sha256 = digest.substring(7);
                long size = layer.get("size") instanceof Number number ? number.longValue() : -1;
                models.add(new Found(blob(root, sha256), sha256, size, title()));
            }
        }
        return models.size() == 1 && ForeignFiles.hasMagic(models.getFirst().path()) ? models.getFirst() : null;
    }

    @Override
    public List<ForeignModel> list() throws IOException {
        List<ForeignModel> all = new ArrayList<>();
        for (Path root : roots) {
            Path manifests = root.resolve("manifests");
            for (String host : ForeignFiles.entries(manifests)) {
                for (String namespace : ForeignFiles.entries(manifests.resolve(host))) {
                    Path folder = manifests.resolve(host).resolve(namespace);
                    for (String model : ForeignFiles.entries(folder)) {
                        for (String tag : ForeignFiles.entries(folder.resolve(model))) {
                            add(all, read(root, folder.resolve(model).resolve(tag)), name(host, namespace, model, tag));
                        }
                    }
                }
            }
        }
        return all;
    }

    private static String name(String host, String namespace, String model, String tag) {
        String full = model + ":" + tag;
        if (!host.equals(HOST)) {
            return host + "/" + namespace + "/" + full;
        }
        return namespace.equals(NAMESPACE) ? full : namespace + "/" + full;
    }

    private void add(List<ForeignModel> all, @Nullable Found found, String name) throws IOException {
        if (found == null) {
            return;
        }
        try {
            all.add(ForeignFiles.model(new ModelReference.Cached(tool(), name), found.path(), title()));
        } catch (IllegalArgumentException e) {
            return; // a name that no reference can spell
        }
    }
}
