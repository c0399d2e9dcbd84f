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
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Downloads from a real server on the loopback interface, which behaves like the hub or misbehaves. */
@Timeout(60)
class HubFetchTest {
    private static final ModelReference Q8 = ModelReference.parse("owner/repo:Q8_0");

    @TempDir
    Path home;

    private LoopbackHub hub;

    @BeforeEach
    void start() throws IOException {
        hub = new LoopbackHub();
    }

    @AfterEach
    void stop() throws IOException {
        hub.close();
    }

    private ModelStore.Builder builder(String... variables) {
        return Stores.builder(home, hub.uri(), variables);
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

    /** Where the download with this number began; a broken connection may take its last bytes with it. */
    private long from(int download) {
        String range = hub.downloads().get(download).header("range");
        return range.isEmpty() ? 0 : Long.parseLong(range.substring("bytes=".length(), range.length() - 1));
    }

    @Test
    void fetchesVerifiesListsAndRemoves() throws IOException {
        ModelStore store = builder().build();
        assertThat(store.resolve(Q8)).isEmpty();
        ModelDescription before = store.describe(Q8);
        assertThat(before.present()).isFalse();
        assertThat(before.size()).hasValue(hub.content.length);
        assertThat(before.freeBytes()).isPositive();
        List<FetchProgress> progress = new ArrayList<>();

        Path file = store.fetch(Q8, progress::add);

        assertThat(file).hasBinaryContent(hub.content).hasParentRaw(home.resolve("store"));
        assertThat(file.getFileName()).hasToString("model-Q8_0-" + hub.sha256().substring(0, 12) + ".gguf");
        assertThat(leftovers()).isEmpty();
        assertThat(progress)
                .extracting(FetchProgress::phase)
                .startsWith(FetchProgress.Phase.CONNECTING)
                .contains(FetchProgress.Phase.DOWNLOADING)
                .endsWith(FetchProgress.Phase.DONE);
        assertThat(progress.getLast().done()).isEqualTo(hub.content.length);
        int asked = hub.hub.requests.size();
        assertThat(store.fetch(Q8)).isEqualTo(file);
        assertThat(ModelStore.at(home.resolve("store")).resolve(Q8)).contains(file);
        assertThat(store.describe(Q8).path()).contains(file);
        assertThat(hub.hub.requests).hasSize(asked);
        assertThat(store.list()).singleElement().satisfies(m -> {
            assertThat(m.reference()).isEqualTo(Q8);
            assertThat(m.path()).isEqualTo(file);
            assertThat(m.size()).isEqualTo(hub.content.length);
            assertThat(m.sha256()).isEqualTo(hub.sha256());
            assertThat(m.source()).isEqualTo("owner/repo:Q8_0");
            assertThat(m.fetchedAt())
                    .isBetween(Instant.now().minusSeconds(60), Instant.now().plusSeconds(1));
            assertThat(m.owned()).isTrue();
        });

        assertThat(store.remove(Q8)).isTrue();
        assertThat(file).doesNotExist();
        assertThat(store.list()).isEmpty();
        assertThat(store.remove(Q8)).isFalse();
    }

    @Test
    void aFileThatTwoReferencesShareStaysUntilBothAreGone() {
        ModelStore store = builder().build();
        ModelReference same = ModelReference.parse("owner/repo:model-Q8_0.gguf");
        Path file = store.fetch(Q8);
        assertThat(store.fetch(same)).isEqualTo(file);
        store.remove(Q8);
        assertThat(store.resolve(same)).contains(file);
        store.remove(same);
        assertThat(file).doesNotExist();
    }

    @Test
    void aFileThatWasCutOutsideIsFetchedAgain() throws IOException {
        ModelStore store = builder().build();
        Path file = store.fetch(Q8);
        Files.write(file, new byte[10]);
        assertThat(store.resolve(Q8)).isEmpty();
        assertThat(store.fetch(Q8)).hasBinaryContent(hub.content);
    }

    @Test
    void aBrokenConnectionIsContinued() {
        hub.breaks.set(2);
        Path file = builder().build().fetch(Q8);
        assertThat(file).hasBinaryContent(hub.content);
        assertThat(hub.downloads()).hasSize(3);
        assertThat(from(1)).isBetween(1_000_000L, 1_200_000L);
        assertThat(from(2)).isBetween(from(1) + 1_000_000, 2_400_000L);
        assertThat(hub.downloads().get(1).header("if-range")).isEqualTo("\"one\"");
    }

    @Test
    void whatALaterProcessFindsIsContinued() {
        hub.breaks.set(Settings.MAX_ATTEMPTS);
        hub.breakAfter = 100_000;
        DownloadException e = failure(builder().build(), Q8);
        assertThat(e).hasMessageContaining("next fetch continues");
        long received = builder().build().describe(Q8).receivedBytes();
        assertThat(received).isBetween(300_000L, 500_000L);
        assertThat(builder().build().fetch(Q8)).hasBinaryContent(hub.content);
        assertThat(from(hub.downloads().size() - 1)).isEqualTo(received);
    }

    @Test
    void aServerThatIgnoresRangesBeginsAnew() {
        hub.breaks.set(1);
        hub.knowsRange = false;
        assertThat(builder().build().fetch(Q8)).hasBinaryContent(hub.content);
        assertThat(hub.downloads()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bytesThatChangedMeanwhileAreNotMixed(boolean knowsIfRange) {
        hub.announcesSha256 = false;
        hub.redirects = false;
        hub.knowsIfRange = knowsIfRange;
        hub.breaks.set(Settings.MAX_ATTEMPTS);
        hub.breakAfter = 100_000;
        failure(builder().build(), Q8);
        hub.content = LoopbackHub.random(3_000_000, 2);
        hub.etag = "\"two\"";
        assertThat(builder().build().fetch(Q8)).hasBinaryContent(hub.content);
    }

    @Test
    void bytesThatChangeBetweenTwoAttemptsAreNotMixed() {
        hub.announcesSha256 = false;
        hub.knowsIfRange = false;
        hub.breaks.set(1);
        ModelStore store = builder().build();
        Path file = store.fetch(Q8, p -> {
            if (p.phase() == FetchProgress.Phase.RETRYING && hub.etag.equals("\"one\"")) {
                hub.content = LoopbackHub.random(3_000_000, 2);
                hub.etag = "\"two\"";
            }
        });
        assertThat(file).hasBinaryContent(hub.content);
    }

    @Test
    void wrongBytesAreRefusedAndNotKept() throws IOException {
        byte[] right = hub.content;
        String announced = hub.sha256();
        Catalogue catalogue = Catalogue.parse("[it]\nsha256 = " + announced + "\nsource = owner/repo:model-Q8_0.gguf");
        hub.announcesSha256 = false;
        hub.content = LoopbackHub.random(3_000_000, 2);
        ModelStore store = builder().catalogue(catalogue).build();
        ModelReference it = ModelReference.parse("it");
        assertThat(failure(store, it)).hasMessageContaining("SHA-256").hasMessageContaining(announced);
        assertThat(leftovers()).isEmpty();
        assertThat(store.list()).isEmpty();
        assertThat(store.resolve(it)).isEmpty();
        hub.content = right;
        assertThat(store.fetch(it)).hasBinaryContent(right);
    }

    @Test
    void otherBytesThanTheCataloguesAreNotEvenDownloaded() {
        Catalogue catalogue =
                Catalogue.parse("[it]\nsha256 = " + "0".repeat(64) + "\nsource = owner/repo:model-Q8_0.gguf");
        assertThat(failure(builder().catalogue(catalogue).build(), ModelReference.parse("it")))
                .hasMessageContaining("other bytes");
        assertThat(hub.downloads()).isEmpty();
    }

    @Test
    void aDamagedBeginningIsDroppedOnce() throws IOException {
        hub.breaks.set(Settings.MAX_ATTEMPTS);
        hub.breakAfter = 100_000;
        failure(builder().build(), Q8);
        Path part = leftovers().stream()
                .filter(p -> p.toString().endsWith(".part"))
                .findFirst()
                .orElseThrow();
        byte[] bytes = Files.readAllBytes(part);
        bytes[7] ^= 1;
        Files.write(part, bytes);
        assertThat(builder().build().fetch(Q8)).hasBinaryContent(hub.content);
    }

    @Test
    void serverErrorsPass() {
        hub.serverErrors.set(3);
        assertThat(builder().build().fetch(Q8)).hasBinaryContent(hub.content);
    }

    @Test
    void serverErrorsThatStayAreToldAfterBoundedAttempts() {
        hub.serverErrors.set(1000);
        assertThat(failure(builder().build(), Q8)).hasMessageContaining("503");
        assertThat(hub.hub.requests).hasSize(Settings.MAX_ATTEMPTS);
    }

    @Test
    void aServerThatFallsSilentIsLeftAndContinued() {
        hub.stall = new CountDownLatch(1);
        ModelStore store = builder().stallTimeout(Duration.ofMillis(300)).build();
        Path file = store.fetch(Q8, p -> {
            if (p.phase() == FetchProgress.Phase.RETRYING) {
                hub.stall.countDown();
            }
        });
        assertThat(file).hasBinaryContent(hub.content);
        assertThat(hub.downloads().getLast().header("range")).isEqualTo("bytes=1200000-");
    }

    @ParameterizedTest
    @CsvSource({"401,GatedRepo", "403,GatedRepo", "401,''"})
    void aGatedModelIsASentenceThatSaysWhatToDo(int status, String code) {
        hub.hubStatus = status;
        hub.errorCode = code;
        assertThat(failure(builder().build(), Q8))
                .hasMessageContaining("accept its licence")
                .hasMessageContaining("HF_TOKEN")
                .hasMessageContaining(hub.uri() + "/owner/repo");
        assertThat(failure(builder("HF_TOKEN", "hf_secret").build(), Q8).getMessage())
                .contains("accept its licence")
                .doesNotContain("hf_secret");
    }

    @Test
    void whatIsNotThereIsNotFound() {
        ModelStore store = builder().build();
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store.fetch(ModelReference.parse("owner/other")));
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store.fetch(ModelReference.parse("owner/repo:no.gguf")))
                .withMessageContaining("no.gguf");
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store.fetch(ModelReference.parse("owner/repo:Q2_K")))
                .withMessageContaining("model-Q8_0.gguf");
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store.fetch(ModelReference.parse("./no.gguf")))
                .withMessageContaining("no.gguf");
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store.fetch(ModelReference.of(home)))
                .withMessageContaining("folder");
    }

    @Test
    void theTokenGoesToTheHubAlone() {
        builder("HF_TOKEN", "hf_secret").build().fetch(Q8);
        assertThat(hub.hub.requests)
                .isNotEmpty()
                .allMatch(r -> r.header("authorization").equals("Bearer hf_secret"));
        assertThat(hub.bytes.requests)
                .isNotEmpty()
                .allMatch(r -> r.header("authorization").isEmpty());
    }

    @Test
    void theTokenOfTheHubsOwnToolsIsUsed() throws IOException {
        Files.createDirectories(home.resolve("hf"));
        Files.writeString(home.resolve("hf/token"), "hf_file\n");
        builder("HF_HOME", home.resolve("hf").toString()).build().fetch(Q8);
        assertThat(hub.hub.requests.getFirst().header("authorization")).isEqualTo("Bearer hf_file");
        int before = hub.hub.requests.size();
        builder("HF_HOME", home.resolve("hf").toString())
                .token("")
                .build()
                .describe(ModelReference.parse("owner/repo:Q4_1"));
        assertThat(hub.hub.requests.get(before).header("authorization")).isEmpty();
    }

    @Test
    void theCommitIsPinnedWhileDownloading() {
        builder().build().fetch(Q8);
        assertThat(hub.downloads().getFirst().target()).contains("/resolve/" + LoopbackHub.COMMIT + "/");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUNA_OFFLINE", "HF_HUB_OFFLINE"})
    void offlineIsASentenceAndKeepsWhatIsThere(String variable) {
        ModelStore offline = builder(variable, "1").build();
        assertThat(failure(offline, Q8)).hasMessageContaining(variable).hasMessageContaining("not on this machine");
        assertThatExceptionOfType(DownloadException.class).isThrownBy(() -> offline.describe(Q8));
        assertThat(hub.hub.requests).isEmpty();
        Path file = builder(variable, "0").build().fetch(Q8);
        assertThat(offline.fetch(Q8)).isEqualTo(file);
    }

    @Test
    void noNetworkIsASentence() throws IOException {
        URI gone = hub.uri();
        hub.hub.close();
        ModelStore store = Stores.builder(home, gone).build();
        assertThat(failure(store, Q8))
                .hasMessageContaining("cannot reach 127.0.0.1")
                .hasMessageContaining("refused");
        ModelStore nowhere =
                Stores.builder(home, URI.create("http://nowhere.invalid")).build();
        assertThat(failure(nowhere, Q8)).hasMessageContaining("nowhere.invalid");
    }

    /** Root may write everywhere, so a file stands where the store's folder would be made. */
    @Test
    void aStoreThatCannotBeWrittenIsASentence() throws IOException {
        Path file = Files.writeString(home.resolve("file"), "");
        ModelStore store = builder().folder(file.resolve("store")).build();
        assertThat(failure(store, Q8)).hasMessageContaining("cannot be written").hasMessageContaining("PUNA_HOME");
        assertThat(store.list()).isEmpty();
        assertThat(store.resolve(Q8)).isEmpty();
        assertThat(store.remove(Q8)).isFalse();
    }

    @Test
    void tooLittleRoomIsToldBeforeAnyByte() {
        ModelStore store = builder().freeBytes(_ -> 1_000_000).build();
        assertThat(failure(store, Q8)).hasMessageContaining("3.0 MB").hasMessageContaining("1.0 MB");
        assertThat(hub.downloads()).isEmpty();
    }

    @Test
    void interruptingEndsTheFetchAndTheNextOneContinues() throws Exception {
        hub.stall = new CountDownLatch(1);
        ModelStore store = builder().build();
        Thread caller = Thread.currentThread();
        StoreIndex index = new StoreIndex(home.resolve("store"));
        Thread.ofVirtual().start(() -> {
            while (index.received(Q8) < 1_200_000) {
                LockSupport.parkNanos(5_000_000);
            }
            caller.interrupt();
        });
        DownloadException e = catchThrowableOfType(DownloadException.class, () -> store.fetch(Q8));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(e).hasMessageContaining("interrupted").hasCauseInstanceOf(InterruptedException.class);
        hub.stall.countDown();
        assertThat(store.fetch(Q8)).hasBinaryContent(hub.content);
        assertThat(from(hub.downloads().size() - 1)).isEqualTo(1_200_000);
    }

    @Test
    void aProxyIsUsedAndToldInAbsoluteForm() throws IOException {
        hub.redirects = false;
        ModelStore store = Stores.builder(
                        home,
                        URI.create("http://hub.invalid"),
                        "http_proxy",
                        hub.uri().toString())
                .build();
        assertThat(store.fetch(Q8)).hasBinaryContent(hub.content);
        assertThat(hub.hub.requests).allMatch(r -> r.target().startsWith("http://hub.invalid/"));
        ModelStore other = Stores.builder(home.resolve("b"), URI.create("http://hub.invalid"))
                .proxy(hub.uri())
                .build();
        assertThat(other.fetch(Q8)).hasBinaryContent(hub.content);
    }

    @Test
    void aRedirectAwayFromHttpAndHttpsIsNotFollowed() throws IOException {
        try (LoopbackServer odd = new LoopbackServer(
                (_, out) -> LoopbackServer.text(out, 302, java.util.Map.of("Location", "ftp://127.0.0.1/x"), ""))) {
            assertThat(failure(Stores.builder(home, odd.uri()).build(), Q8)).hasMessageContaining("not followed");
        }
        try (LoopbackServer round = new LoopbackServer(
                (r, out) -> LoopbackServer.text(out, 302, java.util.Map.of("Location", r.target()), ""))) {
            assertThat(failure(Stores.builder(home, round.uri()).build(), Q8)).hasMessageContaining("without end");
        }
    }

    @Test
    void oldPartsGo() throws IOException {
        Path parts = Files.createDirectories(home.resolve("store/.parts"));
        Path old = Files.writeString(parts.resolve("old-0.part"), "x");
        Path fresh = Files.writeString(parts.resolve("fresh-0.part"), "x");
        Files.setLastModifiedTime(
                old, FileTime.from(Instant.now().minus(StoreIndex.STALE).minusSeconds(60)));
        builder().build().fetch(Q8);
        assertThat(old).doesNotExist();
        assertThat(fresh).exists();
    }
}
