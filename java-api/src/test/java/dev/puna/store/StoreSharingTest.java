// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.PunaException;
import dev.puna.testing.Eventually;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many threads and processes, one download. */
@Timeout(120)
class StoreSharingTest {
    private static final ModelReference Q8 = ModelReference.parse("owner/repo:Q8_0");

    @TempDir
    Path home;

    @Test
    void threadsShareOneDownload() throws Exception {
        try (LoopbackHub hub = new LoopbackHub();
                var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Path>> calls = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                calls.add(() -> Stores.builder(home, hub.uri()).build().fetch(Q8));
            }
            for (Future<Path> result : executor.invokeAll(calls)) {
                assertThat(result.get()).hasBinaryContent(hub.content);
            }
            assertThat(hub.downloads()).hasSize(1);
        }
    }

    @Test
    void processesShareOneDownload() throws Exception {
        try (LoopbackHub hub = new LoopbackHub()) {
            hub.stall = new CountDownLatch(1);
            Process first = FetchMain.start(home, hub.uri(), Q8.toString());
            awaitDownload(hub, first);
            ModelStore store = Stores.builder(home, hub.uri()).build();
            assertThatExceptionOfType(PunaException.class)
                    .isThrownBy(() -> store.remove(Q8))
                    .withMessageContaining("being fetched right now");
            List<FetchProgress.Phase> phases = new ArrayList<>();
            Path file = store.fetch(Q8, p -> {
                phases.add(p.phase());
                hub.stall.countDown(); // the first goes on once the second waits
            });
            String output = new String(first.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(first.waitFor()).as(output).isZero();
            assertThat(output).contains("fetched " + file);
            assertThat(phases).contains(FetchProgress.Phase.WAITING).doesNotContain(FetchProgress.Phase.DOWNLOADING);
            assertThat(file).hasBinaryContent(hub.content);
            assertThat(hub.downloads()).hasSize(1);
        }
    }

    @Test
    void aKilledProcessLeavesABeginningThatIsContinued() throws Exception {
        try (LoopbackHub hub = new LoopbackHub()) {
            hub.stall = new CountDownLatch(1);
            Process first = FetchMain.start(home, hub.uri(), Q8.toString());
            awaitDownload(hub, first);
            ModelStore store = Stores.builder(home, hub.uri()).build();
            Eventually.holds(
                    "what was sent is on the disk", () -> store.describe(Q8).receivedBytes() == 1_200_000);
            first.destroyForcibly().waitFor();
            assertThat(store.resolve(Q8)).isEmpty();
            assertThat(store.list()).isEmpty();
            hub.stall.countDown();
            assertThat(store.fetch(Q8)).hasBinaryContent(hub.content);
            assertThat(hub.downloads().getLast().header("range")).isEqualTo("bytes=1200000-");
        }
    }

    /**
     * Where no folder can be made: below a file, and in a file system of the system's own, which refuses even those who
     * may do everything. Reading finds nothing; fetching says what is wrong.
     */
    @Test
    void aHomeThatCantBeWrittenIsNamed() throws Exception {
        Path file = Files.createFile(home.resolve("file"));
        List<Path> homes = Files.isDirectory(Path.of("/proc/self")) ? List.of(file, Path.of("/proc")) : List.of(file);
        try (LoopbackHub hub = new LoopbackHub()) {
            for (Path unwritable : homes) {
                ModelStore store = Stores.builder(unwritable, hub.uri()).build();
                assertThat(store.list()).isEmpty();
                assertThat(store.resolve(Q8)).isEmpty();
                assertThatExceptionOfType(PunaException.class)
                        .isThrownBy(() -> store.fetch(Q8))
                        .withMessageContaining(unwritable.resolve("store") + " cannot be written");
            }
            assertThat(hub.downloads()).isEmpty();
        }
    }

    private static void awaitDownload(LoopbackHub hub, Process process) throws Exception {
        while (hub.downloads().isEmpty()) {
            if (!process.isAlive()) {
                throw new AssertionError(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    @Test
    void waitingEndsWhenInterrupted() throws Exception {
        Files.createDirectories(home);
        Path file = home.resolve("a.lock");
        try (StoreLock held = StoreLock.take(file, () -> {})) {
            assertThat(held).isNotNull();
            Thread waiter = Thread.ofVirtual().unstarted(() -> {
                try {
                    StoreLock.take(file, () -> {}).close();
                } catch (java.io.IOException e) {
                    assertThat(e).isInstanceOf(java.io.InterruptedIOException.class);
                }
            });
            waiter.start();
            waiter.interrupt();
            assertThat(waiter.join(java.time.Duration.ofSeconds(10))).isTrue();
        }
        StoreLock again = StoreLock.tryTake(file);
        assertThat(again).isNotNull();
        again.close();
    }
}
