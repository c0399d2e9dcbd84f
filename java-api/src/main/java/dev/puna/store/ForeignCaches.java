// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What other tools have already brought to this machine. Only read. Immutable. */
final class ForeignCaches {
    private static final Logger LOG = LoggerFactory.getLogger(ModelStore.class);

    private final List<ForeignCache> caches;

    /** A row a tool: the first one that has a model gives it. */
    ForeignCaches(Environment environment) {
        List<ForeignCache> all = new ArrayList<>();
        all.add(new HubCache("the cache of the Hugging Face tools", environment.hubCache()));
        all.add(new LlamaCache(environment.llamaCache()));
        all.add(new HubCache("llama.cpp's cache", environment.llamaCache()));
        all.add(new LmStudioCache(environment));
        all.add(new OllamaCache(environment.ollamaFolders()));
        all.add(new FolderCache("gpt4all", "GPT4All", environment.gpt4allFolders(), 1));
        all.add(new FolderCache("jan", "Jan", environment.janFolders(), 4));
        caches = List.copyOf(all);
    }

    private interface Look<T> {
        T at(ForeignCache cache) throws IOException;
    }

    /** Somebody else's folder that cannot be read is as if it were not there. */
    private static <T> T look(ForeignCache cache, T nothing, Look<T> look) {
        try {
            return look.at(cache);
        } catch (IOException | UncheckedIOException | java.nio.file.InvalidPathException e) {
            LOG.debug("{} is not used: {}", cache.title(), e.toString());
            return nothing;
        }
    }

    Optional<ForeignCache.Found> find(ModelReference reference) {
        for (ForeignCache cache : caches) {
            Optional<ForeignCache.Found> found = switch (reference) {
                case ModelReference.HubFile hub -> look(cache, Optional.empty(), c -> c.find(hub));
                case ModelReference.Cached own
                when own.tool().equals(cache.tool()) -> look(cache, Optional.empty(), c -> c.find(own.name()));
                default -> Optional.empty();
            };
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /** Files that may have a checksum: who reads them finds out. */
    List<ForeignCache.Found> find(String sha256, long size) {
        List<ForeignCache.Found> all = new ArrayList<>();
        caches.forEach(cache -> all.addAll(look(cache, List.of(), c -> c.find(sha256, size))));
        return all;
    }

    List<ForeignModel> list() {
        List<ForeignModel> all = new ArrayList<>();
        Set<Object> known = new HashSet<>();
        for (ForeignCache cache : caches) {
            look(cache, List.<ForeignModel>of(), ForeignCache::list).stream()
                    .filter(model -> known.add(model.reference()))
                    .forEach(all::add);
        }
        return all;
    }

    /** Why a reference to another tool's model leads nowhere. */
    String absent(ModelReference.Cached reference) {
        String title = caches.stream()
                .filter(c -> c.tool().equals(reference.tool()))
                .map(ForeignCache::title)
                .findFirst()
                .orElse(reference.tool());
        List<String> others = list().stream()
                .map(ForeignModel::reference)
                .filter(r ->
                        r instanceof ModelReference.Cached other && other.tool().equals(reference.tool()))
                .map(Object::toString)
                .toList();
        return title + " has no model " + reference.name() + " in GGUF on this machine"
                + (others.isEmpty()
                        ? "; fetch it with " + title + ", or name one of Hugging Face"
                        : "; it has " + others.stream().limit(12).collect(Collectors.joining(", ")));
    }
}
