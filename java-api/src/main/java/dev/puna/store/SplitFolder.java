// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/**
 * Where the parts of a split file gather until all are there. Beside them stands which remote bytes each is and its
 * checksum, so that a later process need not fetch a part again. Invariant: a part that is noted was whole and verified
 * before it came here. One thread, under the key's lock.
 */
final class SplitFolder {
    private final Path folder;
    private final List<String> names;
    private final Properties notes = new Properties();

    SplitFolder(Path folder, SplitName split) throws PartFile.CannotWrite {
        this.folder = folder;
        this.names = split.parts().stream()
                .map(name -> name.substring(name.lastIndexOf('/') + 1))
                .toList();
        try {
            Files.createDirectories(folder);
            if (Files.exists(noteFile())) {
                notes.putAll(StoreIndex.readProperties(noteFile()));
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new PartFile.CannotWrite(
                    folder, e instanceof IOException io ? io : new IOException(Reasons.of(e), e));
        }
    }

    private Path noteFile() {
        return folder.resolve("parts.properties");
    }

    private Path file(int number) {
        return folder.resolve(names.get(number - 1));
    }

    /** Whether a part, from 1 on, is here, of these bytes and this long (-1: whatever the length). */
    boolean has(int number, String identity, long size) throws IOException {
        return identity.equals(notes.getProperty(number + ".identity"))
                && Files.isRegularFile(file(number))
                && (size < 0 || Files.size(file(number)) == size);
    }

    long size(int number) throws IOException {
        return Files.size(file(number));
    }

    /** Takes a whole, verified part over. */
    void add(int number, Path part, String identity, String sha256) throws PartFile.CannotWrite {
        try {
            notes.setProperty(number + ".identity", identity);
            notes.setProperty(number + ".sha256", sha256);
            StoreIndex.writeProperties(noteFile(), notes);
            Files.move(part, file(number), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            Files.deleteIfExists(part.resolveSibling(part.getFileName() + ".properties"));
        } catch (IOException e) {
            throw new PartFile.CannotWrite(file(number), e);
        }
    }

    /** All parts are here: the folder has nothing else any more. */
    HubFetch.Fetched whole(String source) throws IOException {
        List<String> sums = new ArrayList<>();
        for (int number = 1; number <= names.size(); number++) {
            sums.add(notes.getProperty(number + ".sha256", ""));
        }
        Files.deleteIfExists(noteFile());
        return new HubFetch.Fetched(folder, names.getFirst(), SplitName.checksum(sums), source);
    }
}
