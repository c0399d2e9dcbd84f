// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
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
    void aToolThatMovesItsFilesMeanwhileDisturbsNothing() throws Exception {
        Path folder = Files.createDirectories(home.resolve("tool/models"));
        Path still = Files.write(folder.resolve("still.gguf"), content);
        AtomicBoolean done = new AtomicBoolean();
        Thread tool = Thread.ofPlatform().start(() -> {
            while (!done.get()) {
                for (int i = 0; i < 20; i++) {
                    Path part = folder.resolve("part" + i);
                    part.toFile().mkdir();
                    part.toFile().delete();
                }
            }
        });
        try {
            for (int i = 0; i < 2_000; i++) {
                assertThat(ForeignFiles.names(folder.getParent(), 4)).containsExactly("models/" + still.getFileName());
            }
        } finally {
            done.set(true);
            tool.join();
        }
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

    /** What Ollama leaves: a manifest by name, its layers by checksum. */
    private Path ollama(Path root, String name, String digest, int size, byte[] bytes) throws IOException {
        Path blob = root.resolve("blobs").resolve("sha256-" + digest);
        Files.createDirectories(blob.getParent());
        Files.write(blob, bytes);
        Path manifest = root.resolve("manifests").resolve(name);
        Files.createDirectories(manifest.getParent());
        Files.writeString(manifest, """
                {"schemaVersion": 2, "config": {"digest": "sha256:%s", "size": 3},
                 "layers": [{"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:%s", "size": 9},
                            {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:%s", "size": %d}]}
                """.formatted("1".repeat(64), "2".repeat(64), digest, size));
        return blob;
    }

    private byte[] gguf() {
        byte[] bytes = content.clone();
        System.arraycopy("GGUF".getBytes(StandardCharsets.US_ASCII), 0, bytes, 0, 4);
        return bytes;
    }

    private static String digest(byte[] bytes) {
        var digest = Hashes.sha256();
        digest.update(bytes);
        return Hashes.hex(digest);
    }

    @Test
    void ollamasModelsAreUsedByTheirNames() throws IOException {
        byte[] bytes = gguf();
        Path root = home.resolve(".ollama/models");
        Path blob = ollama(root, "registry.ollama.ai/library/llama3.2/1b", digest(bytes), bytes.length, bytes);
        ollama(root, "registry.ollama.ai/library/llama3.2/latest", digest(bytes), bytes.length, bytes);
        ollama(root, "registry.ollama.ai/someone/tuned/v2", digest(bytes), bytes.length, bytes);
        ollama(root, "hf.co/owner/repo/Q8_0", digest(bytes), bytes.length, bytes);
        ModelStore store = store();
        assertThat(store.foreign())
                .extracting(m -> m.reference().toString())
                .containsExactlyInAnyOrder(
                        "ollama:llama3.2:1b",
                        "ollama:llama3.2:latest",
                        "ollama:someone/tuned:v2",
                        "ollama:hf.co/owner/repo:Q8_0");
        for (String name : new String[] {
            "ollama:llama3.2:1b", "ollama:llama3.2", "ollama:someone/tuned:v2", "ollama:hf.co/owner/repo:Q8_0"
        }) {
            ModelReference reference = ModelReference.parse(name);
            assertThat(reference.toString()).isEqualTo(name);
            assertThat(store.fetch(reference)).as(name).isEqualTo(blob);
        }
        assertThat(store.resolve(Q8)).contains(blob); // Ollama fetched it from the hub
        assertThat(store.list()).hasSize(5).allSatisfy(m -> {
            assertThat(m.owned()).isFalse();
            assertThat(m.source()).isEqualTo("Ollama");
            assertThat(m.sha256()).isEqualTo(digest(bytes));
        });
        assertThat(store.remove(ModelReference.parse("ollama:llama3.2:1b"))).isTrue();
        assertThat(blob).hasBinaryContent(bytes);
        ModelReference absent = ModelReference.parse("ollama:llama3.2:3b");
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store.fetch(absent))
                .withMessageContaining("Ollama has no model llama3.2:3b")
                .withMessageContaining("ollama:llama3.2:1b");
        assertThatExceptionOfType(ModelNotFoundException.class).isThrownBy(() -> store.describe(absent));
    }

    @Test
    void ollamasFolderMayBeElsewhere() throws IOException {
        byte[] bytes = gguf();
        Path root = home.resolve("big-disk/ollama");
        Path blob = ollama(root, "registry.ollama.ai/library/it/latest", digest(bytes), bytes.length, bytes);
        ModelReference it = ModelReference.parse("ollama:it");
        assertThat(store().resolve(it)).isEmpty();
        assertThat(Stores.builder(home, NO_HUB, "OLLAMA_MODELS", root.toString())
                        .build()
                        .resolve(it))
                .contains(blob);
    }

    @Test
    void whatOllamaHasInAnotherFormIsNotUsed() throws IOException {
        byte[] bytes = gguf();
        Path root = home.resolve(".ollama/models");
        String library = "registry.ollama.ai/library/";
        ollama(root, library + "short/latest", digest(bytes), bytes.length + 1, bytes); // another size
        ollama(root, library + "damaged/latest", "3".repeat(64), bytes.length, bytes); // another checksum
        ollama(root, library + "tensors/latest", digest(content), content.length, content); // not GGUF
        Files.writeString(root.resolve("manifests/" + library + "short/none"), "{\"layers\": 5}");
        Files.writeString(root.resolve("manifests/" + library + "short/text"), "no json");
        Path adapted = root.resolve("manifests/" + library + "short/adapted");
        Files.writeString(adapted, """
                {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:%s"},
                            {"mediaType": "application/vnd.ollama.image.adapter", "digest": "sha256:%s"}]}
                """.formatted(digest(bytes), digest(bytes)));
        for (String name : new String[] {"short", "damaged", "tensors", "short:none", "short:text", "short:adapted"}) {
            assertThat(store().resolve(ModelReference.parse("ollama:" + name)))
                    .as(name)
                    .isEmpty();
        }
    }

    @Test
    void aNameOfTheCatalogueIsFoundByItsChecksumInAnyOfThem() throws IOException {
        byte[] bytes = gguf();
        Catalogue catalogue = Catalogue.parse("[it]\nsha256 = " + digest(bytes) + "\nsize = " + bytes.length
                + "\nsource = nobody/else:model-Q8_0.gguf");
        ModelReference it = ModelReference.parse("it");
        Path blob = ollama(home.resolve(".ollama/models"), "registry.ollama.ai/x/y/z", digest(bytes), 1, bytes);
        assertThat(Stores.builder(home, NO_HUB).catalogue(catalogue).build().resolve(it))
                .contains(blob);
        Files.delete(blob);
        Path other = Files.createDirectories(home.resolve(".local/share/nomic.ai/GPT4All"));
        Path decoy = Files.write(other.resolve("a.gguf"), new byte[bytes.length]);
        Path file = Files.write(other.resolve("b.gguf"), bytes);
        assertThat(Stores.builder(home, NO_HUB).catalogue(catalogue).build().resolve(it))
                .contains(file);
        assertThat(decoy).exists();
    }

    @Test
    void lmStudiosModelsAreUsed() throws IOException {
        byte[] bytes = gguf();
        Path folder = Files.createDirectories(home.resolve(".lmstudio/models/owner/repo"));
        Path file = Files.write(folder.resolve("model-Q8_0.gguf"), bytes);
        assertThat(store().resolve(Q8)).contains(file);
        assertThat(store().resolve(ModelReference.parse("owner/repo@dev:Q8_0"))).isEmpty();
        assertThat(store().fetch(ModelReference.parse("lmstudio:owner/repo/model-Q8_0.gguf")))
                .isEqualTo(file);
        Path moved = home.resolve("elsewhere");
        Files.createDirectories(moved.resolve("owner/other"));
        Path second = Files.write(moved.resolve("owner/other/m.gguf"), bytes);
        Files.writeString(home.resolve(".lmstudio/settings.json"), "{\"downloadsFolder\": \"" + moved + "\"}");
        assertThat(store().resolve(ModelReference.parse("owner/other"))).contains(second);
        assertThat(store().foreign())
                .extracting(m -> m.reference().toString())
                .containsExactlyInAnyOrder("lmstudio:owner/repo/model-Q8_0.gguf", "lmstudio:owner/other/m.gguf");
    }

    @Test
    void gpt4AllsAndJansModelsAreUsed() throws IOException {
        byte[] bytes = gguf();
        Path gpt4all = Files.createDirectories(home.resolve(".local/share/nomic.ai/GPT4All"));
        Path one = Files.write(gpt4all.resolve("Meta-Llama-3-8B-Instruct.Q4_0.gguf"), bytes);
        Path jan = Files.createDirectories(home.resolve(".local/share/Jan/data/llamacpp/models/qwen/Qwen3-4B_Q4"));
        Path two = Files.write(jan.resolve("model.gguf"), bytes);
        assertThat(store().fetch(ModelReference.parse("gpt4all:Meta-Llama-3-8B-Instruct.Q4_0.gguf")))
                .isEqualTo(one);
        assertThat(store().fetch(ModelReference.parse("jan:qwen/Qwen3-4B_Q4"))).isEqualTo(two);
        assertThat(store().foreign()).extracting(ForeignModel::cache).containsExactly("GPT4All", "Jan");
        assertThat(store().foreign()).allSatisfy(m -> assertThat(m.size()).isEqualTo(bytes.length));
    }

    @Test
    void newerLlamaCppKeepsTheHubsLayout() throws IOException {
        Path file = hubCache(sha256);
        Path hub = home.resolve(".cache/huggingface/hub");
        ModelStore store = Stores.builder(home, NO_HUB, "LLAMA_CACHE", hub.toString(), "HF_HUB_CACHE", home + "/none")
                .build();
        assertThat(store.resolve(Q8)).contains(file);
        assertThat(store.list().getFirst().source()).isEqualTo("llama.cpp's cache");
    }

    @Test
    void namesThatLeadOutOfACacheAreNoReferences() {
        for (String name : new String[] {
            "ollama:", "ollama:../x", "ollama:a//b", "ollama:/etc/x", "jan:a/../../b", "ollama:a:", "ollama:a\\b"
        }) {
            assertThatIllegalArgumentException().as(name).isThrownBy(() -> ModelReference.parse(name));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new ModelReference.Cached("other", "name"));
    }

    @Test
    void aStoreThatCannotBeWrittenStillFindsThem() throws IOException {
        Path file = hubCache(sha256);
        Path blocked = Files.writeString(home.resolve("file"), "").resolve("store");
        assertThat(Stores.builder(home, NO_HUB).folder(blocked).build().fetch(Q8))
                .isEqualTo(file);
    }
}
