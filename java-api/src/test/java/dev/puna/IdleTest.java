// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An engine with nothing to do costs nothing: the whole process stays below 2% of one processor. */
@Timeout(120)
class IdleTest {
    private static final Duration WINDOW = Duration.ofSeconds(2);
    private static final Duration MOST = Duration.ofMillis(40);
    private static final int WINDOWS = 10; // the JVM itself may be at work in some

    private static Duration spent() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
    }

    private static Duration leastOfAWindow() throws InterruptedException {
        Duration least = WINDOW;
        for (int i = 0; i < WINDOWS && least.compareTo(MOST) > 0; i++) {
            Duration before = spent();
            Thread.sleep(WINDOW);
            Duration took = spent().minus(before);
            least = took.compareTo(least) < 0 ? took : least;
        }
        return least;
    }

    @Test
    void chatsBetweenTheirTurns() throws InterruptedException {
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(4).threads(2))) {
            List<Chat> chats = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                chats.add(context.newChat());
                chats.getLast().user("Hello").text();
            }
            assertThat(leastOfAWindow()).isLessThan(MOST);
            chats.forEach(Chat::close);
        }
    }

    /** Nor do generations that wait for their readers and hooks, whether or not there is a deadline. */
    @Test
    void generationsThatWait() throws InterruptedException {
        try (Context context = Models.tiny().newContext(o -> o.maxSequences(4).contextLength(1024));
                TextStream unread = context
                        .prompt("Once")
                        .sampler(Sampler.of(Sampler.temperature(20)))
                        .ignoreEnd()
                        .maxTokens(900)
                        .timeout(Duration.ofMinutes(10))
                        .stream();
                TextStream asking = context.prompt("Twice").logits(l -> {}).stream();
                TextStream other = context.prompt("Thrice").logits(l -> {}).timeout(Duration.ofMinutes(9)).stream()) {
            Eventually.holds("all wait", () -> context.statistics().paused() == 3);
            assertThat(leastOfAWindow()).isLessThan(MOST);
            assertThat(List.of(unread.isDone(), asking.isDone(), other.isDone()))
                    .containsOnly(false);
        }
    }
}
