// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Models that come when they are needed and go when they are not. */
@Timeout(120)
class ModelPoolTest {
    private static final String A = Models.TINY.toString();
    private static final String B = Models.DATA.resolve("tiny/llama.gguf").toString();
    private static final String C = Models.DATA.resolve("tiny/llama_q8_0.gguf").toString();
    private static final Consumer<ContextOptions> SMALL =
            o -> o.maxSequences(2).contextLength(128).threads(1).stepTokens(16);

    @TempDir
    Path folder;

    private static ModelPool pool(Consumer<ModelPool.Options> more) {
        return ModelPool.create(o -> {
            o.defaultContext(SMALL);
            more.accept(o);
        });
    }

    private static long plan(String file) {
        return Model.builder(Path.of(file)).defaultContext(SMALL).plan().total();
    }

    @Test
    void aModelIsLoadedOnceAndShared() throws Exception {
        try (ModelPool pool = pool(o -> {});
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            CountDownLatch start = new CountDownLatch(1);
            List<Future<Model>> models = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                models.add(callers.submit(() -> {
                    start.await();
                    return pool.use(A, model -> {
                        assertThat(model.prompt("Hello").maxTokens(2).text()).isNotNull();
                        return model;
                    });
                }));
            }
            start.countDown();
            Model first = models.getFirst().get();
            for (Future<Model> model : models) {
                assertThat(model.get()).isSameAs(first);
            }
            ModelPool.Status status = pool.status();
            assertThat(status.loads()).isEqualTo(1);
            assertThat(status.models()).singleElement().satisfies(m -> {
                assertThat(m.file()).isEqualTo(Models.TINY.toRealPath());
                assertThat(m.leases()).isZero();
                assertThat(m.bytes()).isEqualTo(plan(A)).isEqualTo(status.memoryUsed());
            });
        }
    }

    @Test
    void referencesToOneFileShareIt() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("other-name.gguf"), Models.TINY.toAbsolutePath());
        try (ModelPool pool = pool(o -> {});
                ModelPool.Lease one = pool.acquire(A);
                ModelPool.Lease two = pool.acquire(link.toString())) {
            assertThat(two.model()).isSameAs(one.model());
            assertThat(pool.status().hits()).isEqualTo(1);
            assertThat(pool.status().models().getFirst().leases()).isEqualTo(2);
        }
    }

    @Test
    void anIdleModelGoesAndComesBack() {
        try (ModelPool pool = pool(o -> o.keepAlive(Duration.ofMillis(50)))) {
            Model first;
            String text;
            try (ModelPool.Lease lease = pool.acquire(A)) {
                first = lease.model();
                text = greedy(first);
                pause(150); // longer than keepAlive, but in use
                assertThat(first.isClosed()).isFalse();
            }
            Eventually.holds("it is unloaded", first::isClosed);
            Eventually.holds("its memory is free", () -> pool.status().memoryUsed() == 0);
            assertThat(pool.status().idleUnloads()).isEqualTo(1);
            try (ModelPool.Lease lease = pool.acquire(A)) {
                assertThat(lease.model()).isNotSameAs(first);
                assertThat(greedy(lease.model())).isEqualTo(text);
            }
            assertThat(pool.status().loads()).isEqualTo(2);
        }
    }

    @Test
    void keepAliveOfNothingUnloadsWithTheLastLease() {
        try (ModelPool pool = pool(o -> o.keepAlive(Duration.ZERO))) {
            ModelPool.Lease one = pool.acquire(A);
            ModelPool.Lease two = pool.acquire(A);
            one.close();
            one.close(); // twice is once
            assertThat(two.model().isClosed()).isFalse();
            two.close();
            assertThat(two.model().isClosed()).isTrue();
            assertThat(pool.status().models()).isEmpty();
        }
    }

    @Test
    void theLongestUnusedMakesRoom() {
        long room = plan(A) + plan(B) + plan(C) - 1; // two of them, whichever
        try (ModelPool pool = pool(o -> o.memory(room))) {
            Model a = pool.use(A, m -> m);
            Model b = pool.use(B, m -> m);
            Model again = pool.use(A, m -> m);
            assertThat(again).isSameAs(a);
            pool.use(C, m -> m);
            assertThat(b.isClosed()).isTrue();
            assertThat(a.isClosed()).isFalse();
            assertThat(pool.status().memoryUnloads()).isEqualTo(1);
            assertThat(pool.status().memoryUsed()).isEqualTo(plan(A) + plan(C));
            assertThat(pool.status().models())
                    .extracting(m -> m.file().getFileName().toString())
                    .containsExactly("tiny-chat.gguf", "llama_q8_0.gguf");
        }
    }

    @Test
    void aModelInUseIsNeverTakenAway() throws Exception {
        try (ModelPool pool = pool(o -> o.memory(Math.max(plan(A), plan(B))));
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Model> waiting;
            try (ModelPool.Lease lease = pool.acquire(A)) {
                waiting = callers.submit(() -> pool.use(B, m -> m));
                pause(100);
                assertThat(waiting.isDone()).isFalse();
                assertThat(greedy(lease.model())).isNotEmpty();
            }
            assertThat(waiting.get().info().architecture()).isEqualTo("llama"); // it waited, then had its turn
        }
        try (ModelPool pool = pool(o -> o.memory(Math.max(plan(A), plan(B))).patience(Duration.ofMillis(20)));
                ModelPool.Lease lease = pool.acquire(A)) {
            assertThatExceptionOfType(BusyException.class)
                    .isThrownBy(() -> pool.acquire(B))
                    .withMessageContaining("in use");
            assertThat(lease.model().isClosed()).isFalse();
            assertThat(pool.status().memoryUsed()).isEqualTo(plan(A));
        }
    }

    @Test
    void whatNeverFitsIsRefusedAtOnce() {
        try (ModelPool pool = pool(o -> o.memory(1000))) {
            assertThatExceptionOfType(InsufficientMemoryException.class)
                    .isThrownBy(() -> pool.acquire(A))
                    .satisfies(e -> {
                        assertThat(e.needed()).isEqualTo(plan(A));
                        assertThat(e.available()).isEqualTo(1000);
                    });
            assertThat(pool.status().memoryUsed()).isZero();
        }
    }

    @Test
    void aFailureReachesAllWhoWaitAndLeavesNothing() throws Exception {
        Path broken = folder.resolve("broken.gguf");
        Files.write(broken, "GGUF and nothing else".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        try (ModelPool pool = pool(o -> {});
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                all.add(callers.submit(() -> pool.acquire(broken.toString())));
            }
            for (Future<?> one : all) {
                assertThatExceptionOfType(java.util.concurrent.ExecutionException.class)
                        .isThrownBy(one::get)
                        .withCauseInstanceOf(PunaException.class);
            }
            assertThat(pool.status().models()).isEmpty();
            assertThat(pool.status().memoryUsed()).isZero();
            Files.copy(Models.TINY, broken, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            assertThat(pool.use(broken.toString(), ModelPoolTest::greedy)).isNotEmpty();
        }
    }

    @Test
    void whoLoadsAndIsInterruptedLeavesTheLoadingToTheOthers() throws Exception {
        CountDownLatch loading = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        AtomicReference<Thread> loader = new AtomicReference<>();
        try (ModelPool pool = pool(o -> o.onProgress(p -> {
            if (loader.compareAndSet(null, Thread.currentThread())) {
                loading.countDown();
                try {
                    interrupted.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new PunaException("the loading was interrupted", e);
                }
            }
        }))) {
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread first = Thread.ofVirtual().start(() -> {
                try {
                    pool.acquire(A).close();
                } catch (PunaException e) {
                    failure.set(e);
                }
            });
            loading.await();
            AtomicInteger served = new AtomicInteger();
            Thread second = Thread.ofVirtual().start(() -> pool.use(A, m -> served.incrementAndGet()));
            pause(50);
            first.interrupt();
            first.join();
            second.join();
            assertThat(failure.get()).isInstanceOf(PunaException.class);
            assertThat(served).hasValue(1);
            assertThat(pool.status().loads()).isEqualTo(1);
        }
    }

    @Test
    void aModelThatSomebodyClosedIsLoadedAgain() {
        try (ModelPool pool = pool(o -> {})) {
            pool.use(A, m -> {
                m.close();
                return m;
            });
            assertThat(pool.use(A, ModelPoolTest::greedy)).isNotEmpty();
            assertThat(pool.status().loads()).isEqualTo(2);
            assertThat(pool.status().memoryUsed()).isEqualTo(plan(A));
        }
    }

    @Test
    void manyCallersOfManyModelsInLittleMemory() throws Exception {
        String[] files = {A, B, C};
        List<String> answers = new ArrayList<>();
        for (String file : files) {
            try (Model model =
                    Model.builder(Path.of(file)).defaultContext(SMALL).load()) {
                answers.add(greedy(model));
            }
        }
        long room = plan(A) + plan(B) + plan(C) - 1;
        AtomicInteger wrong = new AtomicInteger();
        try (ModelPool pool = pool(o -> o.memory(room).keepAlive(Duration.ofMillis(3)));
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 48; i++) {
                Random random = new Random(i);
                all.add(callers.submit(() -> {
                    for (int k = 0; k < 5; k++) {
                        int which = random.nextInt(files.length);
                        if (!pool.use(files[which], ModelPoolTest::greedy).equals(answers.get(which))) {
                            wrong.incrementAndGet();
                        }
                        assertThat(pool.status().memoryUsed()).isLessThanOrEqualTo(room);
                    }
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
            assertThat(wrong).hasValue(0);
            assertThat(pool.status().memoryUnloads() + pool.status().idleUnloads())
                    .isPositive();
            Eventually.holds("all are unloaded", () -> pool.status().memoryUsed() == 0);
        }
    }

    @Test
    void theFlightRecorderShowsUnloads() throws Exception {
        Path file = folder.resolve("pool.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("dev.puna.Unload");
            recording.start();
            try (ModelPool pool = pool(o -> o.keepAlive(Duration.ZERO))) {
                pool.use(A, Model::info);
            }
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> unloads = RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("dev.puna.Unload"))
                .toList();
        assertThat(unloads).singleElement().satisfies(event -> {
            assertThat(event.getString("file"))
                    .isEqualTo(Models.TINY.toRealPath().toString());
            assertThat(event.getString("reason")).isEqualTo("idle");
            assertThat(event.getLong("bytes")).isEqualTo(plan(A));
        });
    }

    @Test
    void aForgottenLeaseIsGivenBack() {
        try (ModelPool pool = pool(o -> {})) {
            forget(pool);
            Eventually.holds("it is given back", () -> {
                System.gc();
                return pool.status().models().getFirst().leases() == 0;
            });
        }
    }

    private static void forget(ModelPool pool) {
        assertThat(pool.acquire(A).model().isClosed()).isFalse();
    }

    @Test
    void aClosedPoolClosesItsModels() {
        ModelPool pool = pool(o -> {});
        ModelPool.Lease lease = pool.acquire(A);
        pool.close();
        pool.close();
        assertThat(lease.model().isClosed()).isTrue();
        lease.close();
        assertThat(pool.status().memoryUsed()).isZero();
        assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> pool.acquire(A));
    }

    private static String greedy(Model model) {
        return model.prompt("Hello there")
                .sampler(Sampler.greedy())
                .ignoreEnd()
                .maxTokens(8)
                .text();
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
