// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many at once on one model: nobody's answer depends on the others, and the flight recorder shows how it went. */
@Timeout(60)
class ManyCallersTest {
    private static final int CALLERS = 200;
    private static final List<String> QUESTIONS =
            List.of("Hello", "Why is the sky blue?", "Smile!", "Count to twenty.", "Write some code.");

    @TempDir
    Path folder;

    private static Reply ask(Generator generator, int caller) {
        String question = QUESTIONS.get(caller % QUESTIONS.size());
        ChatRequest request = generator.chat(List.of(Message.user(question)));
        return caller % 2 == 0
                ? request.sampler(Sampler.greedy()).reply()
                : request.sampler(Sampler.of(Sampler.temperature(20)).seed(caller))
                        .maxTokens(60)
                        .reply();
    }

    @Test
    void twoHundredVirtualThreadsGetWhatEachWouldGetAlone() throws Exception {
        try (Context crowded = Models.tiny().newContext(o -> o.maxSequences(16));
                Recording recording = new Recording();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (String event : List.of("Step", "Prompt", "Generation", "Load")) {
                recording.enable("dev.puna." + event);
            }
            recording.start();
            Model.load(Models.TINY).close();
            List<Future<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                int caller = i;
                replies.add(threads.submit(() -> ask(crowded, caller)));
            }
            int tokens = 0;
            try (Context alone = Models.tiny().newContext(o -> o.maxSequences(1).threads(1))) {
                for (int i = 0; i < CALLERS; i++) {
                    Reply reply = replies.get(i).get();
                    tokens += reply.tokens().length;
                    if (i % 2 == 0) {
                        assertThat(reply.text()).isEqualTo(Models.answer(QUESTIONS.get(i % QUESTIONS.size())));
                    } else if (i < 40) {
                        assertThat(reply.tokens()).isEqualTo(ask(alone, i).tokens());
                    }
                }
            }
            recording.stop();
            theRecordingShowsIt(recording, tokens);
            assertThat(crowded.status().pagesUsed()).isZero();
        }
    }

    private void theRecordingShowsIt(Recording recording, int tokens) throws Exception {
        Path file = folder.resolve("puna.jfr");
        recording.dump(file);
        Map<String, List<RecordedEvent>> events = new TreeMap<>();
        for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
            events.computeIfAbsent(event.getEventType().getName(), name -> new ArrayList<>())
                    .add(event);
        }
        assertThat(events.get("dev.puna.Step"))
                .anySatisfy(step -> assertThat(step.getInt("sequences")).isBetween(8, 16));
        assertThat(events.get("dev.puna.Prompt").size()).isGreaterThanOrEqualTo(CALLERS);
        assertThat(events.get("dev.puna.Generation").size()).isGreaterThanOrEqualTo(CALLERS);
        assertThat(events.get("dev.puna.Step").stream()
                        .mapToInt(step -> step.getInt("tokens"))
                        .sum())
                .isGreaterThanOrEqualTo(tokens);
        assertThat(events.get("dev.puna.Load")).singleElement().satisfies(load -> {
            assertThat(load.getString("file")).isEqualTo(Models.TINY.toString());
            assertThat(load.getBoolean("loaded")).isTrue();
        });
    }

    @Test
    void aFullQueueRefusesAndGoesOn() {
        try (Context context =
                Models.smollm2().newContext(o -> o.maxSequences(1).maxQueue(2))) {
            CompletableFuture<Reply> first = context.prompt("Once").ignoreEnd().async(); // until it is cancelled
            Eventually.holds("one runs", () -> context.status().running() == 1);
            List<TextStream> accepted = new ArrayList<>();
            for (int i = 0; i < 2; i++) { // which wait
                accepted.add(context.prompt("Once").ignoreEnd().maxTokens(20).stream());
            }
            assertThatExceptionOfType(BusyException.class)
                    .isThrownBy(() -> context.prompt("Once").text())
                    .withMessageContaining("queue is full");
            Eventually.holds("two wait", () -> context.status().waiting() == 2);
            first.cancel(true);
            assertThat(accepted)
                    .allSatisfy(stream -> assertThat(stream.reply().tokens()).hasSize(20));
            assertThat(context.prompt("Once").maxTokens(1).reply().tokens()).hasSize(1);
        }
    }

    @Test
    void waitingRequestsAreServedInOrder() {
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(1))) {
            List<TextStream> streams = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                streams.add(context.prompt("Hello").ignoreEnd().maxTokens(TextStream.READ_AHEAD).stream()); // unread
            }
            streams.get(1).reply();
            assertThat(streams.get(0).isDone()).isTrue();
            assertThat(streams.stream().map(stream -> stream.reply().timings().queued()))
                    .isSorted();
        }
    }

    @Test
    void contextsShareTheModelsWeights() {
        Model model = Models.smollm2();
        try (Context one = model.newContext(o -> o.maxSequences(1).contextLength(256));
                Context two = model.newContext(
                        o -> o.maxSequences(1).contextLength(256).cacheType(CacheType.F32))) {
            String first = one.prompt("Once upon a time")
                    .sampler(Sampler.greedy())
                    .maxTokens(8)
                    .text();
            assertThat(first).isNotEmpty();
            assertThat(two.prompt("Once upon a time")
                            .sampler(Sampler.greedy())
                            .maxTokens(8)
                            .text())
                    .isNotEmpty();
            assertThat(one.status().memoryBytes() + two.status().memoryBytes())
                    .isLessThan(model.info().memoryBytes());
            assertThat(two.status().pageBytes()).isEqualTo(2 * one.status().pageBytes());
            assertThat(one.model()).isSameAs(model);
        }
    }
}
