// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store's folder.
 *
 * <pre>
 * SmolLM2-135M-Instruct.Q4_1-b179c9523d0e.gguf   whole, verified files; the name ends with the start of the SHA-256
 * NAME-b179c9523d0e/NAME-00001-of-00002.gguf      of a split file a folder with all parts, which keep their names
 * .entries/KEY.properties                         one for each reference: its file, size, checksum, source, time
 * .parts/KEY.part, KEY.part.properties,          what is being fetched; left by an interrupted fetch, continued by the
 *        KEY.split/, KEY.wheel/                  next
 * .locks/KEY.lock, store.lock                     empty; never deleted
 * </pre>
 *
 * KEY belongs to one reference. Invariants: a file without {@code .part} is whole; an entry is written after its file;
 * parts change only under the key's lock, files and entries only under {@code store.lock}, which is taken second. Parts
 * that nobody touched for {@link #STALE} go at the next fetch.
 */
final class StoreIndex {
    static final Duration STALE = Duration.ofDays(14);

    private static final Logger LOG = LoggerFactory.getLogger(StoreIndex.class);

    private final Path folder;

    StoreIndex(Path folder) {
        this.folder = folder;
    }

    /** Makes the folders; fails when the store cannot be written. */
    void prepare() throws IOException {
        for (String name : List.of(".entries", ".parts", ".locks")) {
            Files.createDirectories(folder.resolve(name));
        }
    }

    static String key(ModelReference reference) {
        String text = reference.toString();
        String readable = safe(text);
        return readable.substring(0, Math.min(readable.length(), 80)) + "-"
                + Hashes.ofText(text).substring(0, 12);
    }

    Path part(ModelReference reference) {
        return folder.resolve(".parts").resolve(key(reference) + ".part");
    }

    Path wheelFolder(ModelReference reference) {
        return folder.resolve(".parts").resolve(key(reference) + ".wheel");
    }

    Path splitFolder(ModelReference reference) {
        return folder.resolve(".parts").resolve(key(reference) + ".split");
    }

    Path lockFile(ModelReference reference) {
        return folder.resolve(".locks").resolve(key(reference) + ".lock");
    }

    private Path storeLock() {
        return folder.resolve(".locks").resolve("store.lock");
    }

    private Path entryFile(ModelReference reference) {
        return folder.resolve(".entries").resolve(key(reference) + ".properties");
    }

    /** The entry of a reference if its file is there with the right length. */
    Optional<StoredModel> find(ModelReference reference) {
        return read(entryFile(reference)).filter(StoreIndex::intact);
    }

    Optional<StoredModel> findBySha256(String sha256) {
        return list().stream().filter(m -> m.sha256().equals(sha256)).findFirst();
    }

    /** Every entry whose file is there, by name. */
    List<StoredModel> list() {
        List<StoredModel> models = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder.resolve(".entries"), "*.properties")) {
            for (Path file : files) {
                read(file).filter(StoreIndex::intact).ifPresent(models::add);
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (IOException e) {
            LOG.warn("the model store {} cannot be listed: {}", folder, Reasons.of(e));
        }
        models.sort(Comparator.comparing(StoredModel::name));
        return List.copyOf(models);
    }

    private static boolean intact(StoredModel model) {
        try {
            return Files.isRegularFile(model.path()) && SplitName.size(model.path()) == model.size();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Makes a whole, verified part a model of the store: renames it, or drops it when the store has the same bytes.
     *
     * @param part the file, or the folder that holds all parts of a split one
     * @param name the file's name at its source; of a split one the first part's
     */
    StoredModel adopt(ModelReference reference, Path part, String name, String sha256, String source)
            throws IOException {
        try (StoreLock _ = StoreLock.take(storeLock(), () -> {})) {
            Optional<StoredModel> same = findBySha256(sha256);
            Path target;
            if (same.isPresent() && same.get().owned()) {
                target = same.get().path();
                deleteTree(part);
            } else {
                Path place = folder.resolve(fileName(name, sha256));
                target = Files.isDirectory(part) ? place.resolve(name.substring(name.lastIndexOf('/') + 1)) : place;
                if (Files.isDirectory(part)) {
                    deleteTree(place); // of a model that was damaged
                }
                Files.move(part, place, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                syncFolder(folder);
            }
            return write(
                    new StoredModel(reference, target, SplitName.size(target), sha256, source, Instant.now(), true));
        }
    }

    /**
     * Notes that a reference's file lies elsewhere, in the store under another reference or in another tool's cache.
     */
    StoredModel link(ModelReference reference, Path file, String sha256, String source, boolean owned)
            throws IOException {
        try (StoreLock _ = StoreLock.take(storeLock(), () -> {})) {
            return write(new StoredModel(reference, file, SplitName.size(file), sha256, source, Instant.now(), owned));
        }
    }

    /** Removes a reference's entry and parts, and its file when no other entry needs it. The key's lock is held. */
    boolean remove(ModelReference reference) throws IOException {
        boolean removed;
        try (StoreLock _ = StoreLock.take(storeLock(), () -> {})) {
            Optional<StoredModel> model = read(entryFile(reference));
            removed = Files.deleteIfExists(entryFile(reference));
            if (model.isPresent() && model.get().owned()) {
                Path file = model.get().path();
                if (list().stream().noneMatch(m -> m.path().equals(file))) {
                    Path parent = file.getParent();
                    if (parent != null && folder.equals(parent.getParent())) {
                        deleteTree(parent); // the folder of a split file
                    } else {
                        Files.deleteIfExists(file);
                    }
                }
            }
        }
        boolean dropped = dropParts(key(reference));
        return removed || dropped;
    }

    /** Bytes that an earlier attempt left. */
    long received(ModelReference reference) {
        long bytes = 0;
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(splitFolder(reference), "*.gguf")) {
            for (Path file : parts) {
                bytes += Files.size(file);
            }
        } catch (IOException | DirectoryIteratorException e) {
            LOG.trace("{} has no parts yet", reference);
        }
        try {
            return bytes + Files.size(part(reference));
        } catch (IOException e) {
            return bytes;
        }
    }

    /** Deletes parts that nobody touched for a long time and nobody holds. Never fails. */
    void sweep(ModelReference except) {
        Instant limit = Instant.now().minus(STALE);
        String own = key(except);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder.resolve(".parts"))) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                String key = name.replaceFirst("\\.(part|part\\.properties|wheel|split)$", "");
                if (!key.equals(own)
                        && Files.getLastModifiedTime(file).toInstant().isBefore(limit)) {
                    try (StoreLock lock =
                            StoreLock.tryTake(folder.resolve(".locks").resolve(key + ".lock"))) {
                        if (lock != null) {
                            dropParts(key);
                        }
                    }
                }
            }
        } catch (IOException e) {
            LOG.debug("old parts in {} stay: {}", folder, Reasons.of(e));
        }
    }

    private boolean dropParts(String key) throws IOException {
        Path parts = folder.resolve(".parts");
        boolean dropped = Files.deleteIfExists(parts.resolve(key + ".part"));
        Files.deleteIfExists(parts.resolve(key + ".part.properties"));
        for (String ending : List.of(".wheel", ".split")) {
            Path tree = parts.resolve(key + ending);
            dropped |= Files.exists(tree);
            deleteTree(tree);
        }
        return dropped;
    }

    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        List<Path> all;
        try (var walk = Files.walk(root)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        for (Path path : all) {
            Files.deleteIfExists(path);
        }
    }

    private StoredModel write(StoredModel model) throws IOException {
        Properties p = new Properties();
        p.setProperty("reference", model.reference().toString());
        p.setProperty(
                "file",
                model.owned()
                        ? folder.relativize(model.path()).toString().replace('\\', '/')
                        : model.path().toString());
        p.setProperty("owned", Boolean.toString(model.owned()));
        p.setProperty("size", Long.toString(model.size()));
        p.setProperty("sha256", model.sha256());
        p.setProperty("source", model.source());
        p.setProperty("fetched", model.fetchedAt().toString());
        writeProperties(entryFile(model.reference()), p);
        return model;
    }

    private Optional<StoredModel> read(Path file) {
        try {
            Properties p = readProperties(file);
            boolean owned = Boolean.parseBoolean(p.getProperty("owned", "true"));
            return Optional.of(new StoredModel(
                    ModelReference.parse(required(p, "reference")),
                    folder.resolve(required(p, "file")),
                    Long.parseLong(required(p, "size")),
                    required(p, "sha256"),
                    required(p, "source"),
                    Instant.parse(required(p, "fetched")),
                    owned));
        } catch (NoSuchFileException | NotDirectoryException e) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException | DateTimeException e) {
            if (!Files.exists(file)) {
                return Optional.empty(); // a file stands where a folder of the store would be
            }
            LOG.warn("the store's entry {} cannot be read and counts as absent: {}", file, Reasons.of(e));
            return Optional.empty();
        }
    }

    private static String required(Properties p, String name) {
        String value = p.getProperty(name);
        if (value == null) {
            throw new IllegalArgumentException("'" + name + "' is missing");
        }
        return value;
    }

    static Properties readProperties(Path file) throws IOException {
        Properties p = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            p.load(in);
        }
        return p;
    }

    /** Writes beside the file, then renames: a reader sees the old text or the new one. */
    static void writeProperties(Path file, Properties p) throws IOException {
        StringWriter text = new StringWriter();
        p.store(text, null);
        Path next = file.resolveSibling(file.getFileName() + ".new");
        StringBuilder ascii = new StringBuilder();
        for (char c : text.toString().toCharArray()) {
            ascii.append(c < 0x80 ? String.valueOf(c) : String.format(Locale.ROOT, "\\u%04x", (int) c));
        }
        Files.writeString(next, ascii, StandardCharsets.US_ASCII);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String fileName(String name, String sha256) {
        String last = name.substring(name.lastIndexOf('/') + 1);
        Optional<SplitName> split = SplitName.of(last);
        if (split.isPresent()) {
            last = split.get().stem(); // a folder's
        }
        boolean gguf = ReferenceParser.isGguf(last);
        String stem = safe(gguf ? last.substring(0, last.length() - 5) : last);
        return stem.substring(0, Math.min(stem.length(), 100)) + "-" + sha256.substring(0, 12) + (gguf ? ".gguf" : "");
    }

    private static String safe(String text) {
        String clean = text.replaceAll("[^A-Za-z0-9._-]", "_");
        return clean.startsWith(".") ? "_" + clean.substring(1) : clean;
    }

    /** Makes a rename durable; systems that cannot open a folder do so by themselves. */
    private static void syncFolder(Path folder) {
        @Nullable FileChannel channel = null;
        try {
            channel = FileChannel.open(folder, StandardOpenOption.READ);
            channel.force(true);
        } catch (IOException e) {
            LOG.trace("{} cannot be synchronized by itself", folder);
        } finally {
            if (channel != null) {
                try {
                    channel.close();
                } catch (IOException e) {
                    LOG.trace("{} was not closed", folder);
                }
            }
        }
    }
}
