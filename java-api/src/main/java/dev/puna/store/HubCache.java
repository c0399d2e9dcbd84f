// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A cache in the layout of the Hugging Face tools, which newer versions of llama.cpp use as well:
 * {@code models--owner--repo/snapshots/COMMIT/file}, a link to {@code blobs/SHA256}; {@code refs/REVISION} holds a
 * commit.
 */
final class HubCache implements ForeignCache {
    private static final int DEPTH = 4;

    private final String title;
    private final Path root;

    HubCache(String title, Path root) {
        this.title = title;
        this.root = root;
    }

    @Override
    public String title() {
        return title;
    }

    @Override
    public Optional<Found> find(ModelReference.HubFile reference) throws IOException {
        Path folder = root.resolve("models--" + reference.repository().replace("/", "--"));
        String commit = commit(folder, reference.revision());
        Path snapshot = folder.resolve("snapshots").resolve(commit);
        if (!Hashes.isCommit(commit) || !Files.isDirectory(snapshot)) {
            return Optional.empty();
        }
        String name = ForeignFiles.choose(reference, ForeignFiles.names(snapshot, DEPTH));
        if (name == null || !Files.isRegularFile(snapshot.resolve(name))) {
            return Optional.empty();
        }
        return Optional.of(found(snapshot.resolve(name)));
    }

    private Found found(Path file) throws IOException {
        String blob = file.toRealPath().getFileName().toString();
        return new Found(file, Hashes.isSha256(blob) ? blob : null, -1, title);
    }

    /** The commit of a revision; empty if the cache does not know it. */
    private static String commit(Path folder, String revision) throws IOException {
        if (Hashes.isCommit(revision)) {
            return revision;
        }
        Path ref = folder.resolve("refs").resolve(revision);
        return Files.isRegularFile(ref) && Files.size(ref) <= 200
                ? Files.readString(ref).strip()
                : "";
    }

    @Override
    public List<Found> find(String sha256, long size) throws IOException {
        List<Found> all = new ArrayList<>();
        for (String name : ForeignFiles.entries(root)) {
            Path blob = root.resolve(name).resolve("blobs").resolve(sha256);
            if (name.startsWith("models--") && Files.isRegularFile(blob)) {
                all.add(new Found(blob, sha256, size, title));
            }
        }
        return all;
    }

    @Override
    public List<ForeignModel> list() throws IOException {
        List<ForeignModel> all = new ArrayList<>();
        for (String name : ForeignFiles.entries(root)) {
            String[] parts = name.split("--", -1);
            if (parts.length != 3 || !parts[0].equals("models")) {
                continue;
            }
            Path folder = root.resolve(name);
            String main = commit(folder, ModelReference.HubFile.DEFAULT_REVISION);
            for (String commit : ForeignFiles.entries(folder.resolve("snapshots"))) {
                Path snapshot = folder.resolve("snapshots").resolve(commit);
                String revision = commit.equals(main) ? ModelReference.HubFile.DEFAULT_REVISION : commit;
                for (String file : ForeignFiles.names(snapshot, DEPTH)) {
                    add(all, parts[1] + "/" + parts[2], revision, file, snapshot.resolve(file));
                }
            }
        }
        return all;
    }

    private void add(List<ForeignModel> all, String repository, String revision, String file, Path path)
            throws IOException {
        try {
            all.add(ForeignFiles.model(new ModelReference.HubFile(repository, revision, file), path, title));
        } catch (IllegalArgumentException e) {
            return; // a name that no reference can spell
        }
    }
}
