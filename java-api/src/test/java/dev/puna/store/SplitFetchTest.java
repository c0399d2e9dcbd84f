// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files in parts, {@code -00001-of-00003.gguf}: one model. */
@Timeout(60)
class SplitFetchTest {
    private static final ModelReference REFERENCE = ModelReference.parse("owner/repo:Q6_K");
    private static final int COUNT = 3;

    @TempDir
    Path home;

    private LoopbackHub hub;

    @BeforeEach
    void start() throws IOException {
        hub = new LoopbackHub();
        for (int i = 1; i <= COUNT; i++) {
            hub.files.add(name(i));
            byte[] bytes = LoopbackHub.random(1_500_000 + i, i);
            System.arraycopy("GGUF".getBytes(StandardCharsets.US_ASCII), 0, bytes, 0, 4);
            hub.contents.put(name(i), bytes);
        }
    }

    @AfterEach
    void stop() throws IOException {
        hub.close();
    }

    private static String name(int part) {
        return String.format(Locale.ROOT, "big-Q6_K-%05d-of-%05d.gguf", part, COUNT);
    }

    private byte[] bytes(int part) {
        byte[] bytes = hub.contents.get(name(part));
        assertThat(bytes).isNotNull();
        return bytes;
    }

    private long total() {
        return hub.contents.values().stream().mapToLong(b -> b.length).sum();
    }

    private ModelStore store() {
        return Stores.builder(home, hub.uri()).build();
    }

    private long downloadsOf(int part) {
        return hub.downloads().stream()
                .filter(r -> r.target().endsWith(name(part)))
                .count();
    }

    private List<Path> leftovers() throws IOException {
        try (Stream<Path> files = Files.list(home.resolve("store/.parts"))) {
            return files.toList();
        }
    }

    private void isWhole(Path first) {
        assertThat(first.getFileName()).hasToString(name(1));
        for (int i = 1; i <= COUNT; i++) {
            assertThat(first.resolveSibling(name(i))).hasBinaryContent(bytes(i));
        }
        assertThat(first.getParent()).isDirectoryNotContaining("glob:**.properties");
    }

    @Test
    void allPartsAreOneModel() throws IOException {
        ModelStore store = store();
        assertThat(store.describe(REFERENCE).size()).hasValue(total());
        List<FetchProgress> progress = new ArrayList<>();

        Path first = store.fetch(REFERENCE, progress::add);

        isWhole(first);
        assertThat(first.getParent()).isNotNull().hasParentRaw(home.resolve("store"));
        assertThat(leftovers()).isEmpty();
        assertThat(store.list()).singleElement().satisfies(model -> {
            assertThat(model.path()).isEqualTo(first);
            assertThat(model.size()).isEqualTo(total());
            assertThat(model.files()).hasSize(COUNT).allMatch(Files::exists);
            assertThat(model.sha256())
                    .isEqualTo(Hashes.ofText(LoopbackHub.sha256(bytes(1))
                            + LoopbackHub.sha256(bytes(2))
                            + LoopbackHub.sha256(bytes(3))));
            assertThat(model.owned()).isTrue();
        });
        assertThat(store.describe(REFERENCE).path()).contains(first);
        assertThat(store.describe(REFERENCE).size()).hasValue(total());
        int asked = hub.hub.requests.size();
        assertThat(store.fetch(REFERENCE)).isEqualTo(first);
        assertThat(hub.hub.requests).hasSize(asked);

        assertThat(store.remove(REFERENCE)).isTrue();
        assertThat(store.list()).isEmpty();
        assertThat(first.getParent()).doesNotExist();
        assertThat(store.remove(REFERENCE)).isFalse();
    }

    @Test
    void progressIsThatOfTheWhole() {
        List<FetchProgress> progress = new ArrayList<>();
        store().fetch(REFERENCE, progress::add);
        List<FetchProgress> loading = progress.stream()
                .filter(p -> p.phase() == FetchProgress.Phase.DOWNLOADING)
                .toList();
        assertThat(loading).extracting(FetchProgress::total).containsOnly(total());
        assertThat(loading).extracting(FetchProgress::done).isSorted();
        assertThat(loading.getLast().done()).isEqualTo(total());
        assertThat(progress.getLast().phase()).isEqualTo(FetchProgress.Phase.DONE);
        assertThat(progress.getLast().done()).isEqualTo(total());
    }

    @Test
    void anyPartMeansAll() {
        ModelStore store = store();
        Path first = store.fetch(ModelReference.parse("owner/repo:" + name(2)));
        isWhole(first);
        Path again = store.fetch(ModelReference.parse("owner/repo:" + name(1)));
        assertThat(again).isEqualTo(first);
        assertThat(store.remove(ModelReference.parse("owner/repo:" + name(2)))).isTrue();
        isWhole(first);
        assertThat(store.remove(ModelReference.parse("owner/repo:" + name(1)))).isTrue();
        assertThat(first).doesNotExist();
    }

    @Test
    void aPartThatIsMissingIsNamedBeforeAnythingIsFetched() {
        hub.files.remove(name(3));
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store().fetch(REFERENCE))
                .withMessageContaining(name(3));
        assertThat(hub.downloads()).isEmpty();
    }

    @Test
    void aBrokenConnectionIsContinued() {
        hub.breakAfter = 1_300_000;
        hub.breaks.set(1);
        isWhole(store().fetch(REFERENCE));
        assertThat(downloadsOf(1)).isEqualTo(2);
        assertThat(downloadsOf(2)).isEqualTo(1);
        assertThat(hub.downloads().get(1).header("range")).startsWith("bytes=1");
    }

    @Test
    void aLaterFetchGoesOnWithThePartThatWasBroken() throws IOException {
        hub.contents.put(name(1), bytes(1).clone());
        hub.breakAfter = 1_300_000;
        List<FetchProgress> progress = new ArrayList<>();
        ModelStore store = store();
        // The first part comes whole; then the line breaks for good.
        assertThatExceptionOfType(DownloadException.class)
                .isThrownBy(() -> store.fetch(REFERENCE, p -> {
                    progress.add(p);
                    if (p.phase() == FetchProgress.Phase.CHECKING) {
                        hub.breaks.set(1000);
                        hub.breakAfter = 500_000;
                        hub.knowsRange = false;
                    }
                }))
                .withMessageContaining("broke");
        long received = store.describe(REFERENCE).receivedBytes();
        assertThat(received).isGreaterThan(bytes(1).length);
        hub.breaks.set(0);
        hub.knowsRange = true;

        isWhole(store().fetch(REFERENCE));
        assertThat(downloadsOf(1)).isEqualTo(1);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void whatWasCutOrTakenAwayIsFetchedAgain() throws IOException {
        ModelStore store = store();
        Path first = store.fetch(REFERENCE);
        Files.delete(first.resolveSibling(name(2)));
        assertThat(store.resolve(REFERENCE)).isEmpty();
        assertThat(store.list()).isEmpty();
        isWhole(store.fetch(REFERENCE));
        Files.write(first.resolveSibling(name(3)), new byte[10]);
        assertThat(store.resolve(REFERENCE)).isEmpty();
        isWhole(store.fetch(REFERENCE));
    }

    @Test
    void damageIsSaidByThePartsName() {
        hub.lies.add(name(2));
        assertThatExceptionOfType(DownloadException.class)
                .isThrownBy(() -> store().fetch(REFERENCE))
                .withMessageContaining(name(2))
                .withMessageContaining("SHA-256");
        hub.lies.clear();
        isWhole(store().fetch(REFERENCE));
        assertThat(downloadsOf(1)).isEqualTo(1); // it was whole, and is not fetched again
    }

    @Test
    void anyServerMayHaveThem() {
        hub.redirects = false;
        ModelReference web = ModelReference.parse(hub.uri() + "/owner/repo/resolve/main/" + name(1));
        isWhole(store().fetch(web));
    }

    @Test
    void filesOfThisMachineCountTogether() throws IOException {
        for (int i = 1; i <= COUNT; i++) {
            Files.write(home.resolve(name(i)), bytes(i));
        }
        ModelReference path = ModelReference.of(home.resolve(name(1)));
        assertThat(store().describe(path).size()).hasValue(total());
    }
}
