// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that other tools brought are used where they lie, without any network. */
class ForeignCachesTest {
    private static final URI NO_HUB = URI.create("http://127.0.0.1:9");
    private static final ModelReference Q8 = ModelReference.parse("owner/repo:Q8_0");

    @TempDir
    Path home;

    private final byte[] content = LoopbackHub.random(50_000, 5);
    private String sha256 = "";

    @BeforeEach
    void sum() {
        var digest = Hashes.sha256();
        digest.update(content);
        sha256 = Hashes.hex(digest);
    }

    /** What the Hugging Face tools leave: blobs by checksum, and links to them by commit. */
    private Path hubCache(String blobName) throws IOException {
        Path root = home.resolve(".cache/huggingface/hub/models--owner--repo");
        Path snapshot = Files.createDirectories(root.resolve("snapshots").resolve(LoopbackHub.COMMIT));
        Files.createDirectories(root.resolve("blobs"));
        Files.createDirectories(root.resolve("refs"));
        Files.write(root.resolve("blobs").resolve(blobName), content);
        Files.writeString(root.resolve("refs/main"), LoopbackHub.COMMIT);
        Path file = snapshot.resolve("model-Q8_0.gguf");
        Files.createSymbolicLink(file, Path.of("../../blobs", blobName));
        return file;
    }

    private ModelStore store() {
        return Stores.builder(home, NO_HUB).offline(true).build();
    }

    @Test
    void theCacheOfTheHubsToolsIsUsedWhereItLies() throws IOException {
        Path file = hubCache(sha256);
        ModelStore store = store();
        assertThat(store.resolve(Q8)).contains(file);
        assertThat(store.fetch(ModelReference.parse("owner/repo"))).isEqualTo(file);
        assertThat(store.fetch(ModelReference.parse("owner/repo:model-Q8_0.gguf")))
                .isEqualTo(file);
        assertThat(store.fetch(ModelReference.parse("owner/repo@" + LoopbackHub.COMMIT + ":Q8_0")))
                .isEqualTo(file);
        assertThat(store.resolve(ModelReference.parse("owner/repo:Q4_1"))).isEmpty();
        assertThat(store.resolve(ModelReference.parse("owner/repo@other:Q8_0"))).isEmpty();
        assertThat(store.list()).hasSize(4).allSatisfy(m -> {
            assertThat(m.owned()).isFalse();
            assertThat(m.sha256()).isEqualTo(sha256);
        });
        assertThat(store.remove(Q8)).isTrue();
        assertThat(file).hasBinaryContent(content);
    }

    @Test
    void aDamagedFileOfACacheIsNotUsed() throws IOException {
        hubCache("0".repeat(64));
        assertThat(store().resolve(Q8)).isEmpty();
    }

    @Test
    void aNameOfTheCatalogueIsFoundThereToo() throws IOException {
        Path file = hubCache(sha256);
        String text = "\nsource = owner/repo:model-Q8_0.gguf";
        Catalogue right = Catalogue.parse("[it]\nsha256 = " + sha256 + text);
        Catalogue wrong = Catalogue.parse("[it]\nsha256 = " + "1".repeat(64) + text);
        ModelReference it = ModelReference.parse("it");
        assertThat(Stores.builder(home, NO_HUB).catalogue(wrong).build().resolve(it))
                .isEmpty();
        assertThat(Stores.builder(home, NO_HUB).catalogue(right).build().resolve(it))
                .contains(file);
        assertThat(Stores.builder(home, NO_HUB).catalogue(wrong).build().resolve(it))
                .isEmpty();
    }

    @Test
    void llamaCppsCacheIsUsed() throws IOException {
        Path file = Files.createDirectories(home.resolve(".cache/llama.cpp")).resolve("owner_repo_model-Q8_0.gguf");
        Files.write(file, content);
        assertThat(store().resolve(Q8)).contains(file);
        assertThat(store().resolve(ModelReference.parse("owner/repo:model-Q8_0.gguf")))
                .contains(file);
        assertThat(store().resolve(ModelReference.parse("owner/rep:Q8_0"))).isEmpty();
    }

    @Test
    void aStoreThatCannotBeWrittenStillFindsThem() throws IOException {
        Path file = hubCache(sha256);
        Path blocked = Files.writeString(home.resolve("file"), "").resolve("store");
        assertThat(Stores.builder(home, NO_HUB).folder(blocked).build().fetch(Q8))
                .isEqualTo(file);
    }
}
