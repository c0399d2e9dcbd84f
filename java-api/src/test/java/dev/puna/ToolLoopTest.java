// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.internal.talk.Dialect;
import dev.puna.internal.talk.Speech;
import dev.puna.testing.Models;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The loop against answers that are given; the texts go the way that a model's go. */
class ToolLoopTest {
    record Place(String city, @Description("two letters") Optional<String> country) {}

    record Report(String sky, int degrees) {}

    @SuppressWarnings("unused") // called by the loop
    static class Weather {
        @Nullable
        Thread thread;

        @Tool("tells the weather of a place")
        Report weather(@Param("place") Place place, @Param("days") Optional<Integer> days) {
            thread = Thread.currentThread();
            return new Report(place.city() + " is clear", days.orElse(20));
        }

        @Tool(value = "fails", name = "broken")
        void fails() {
            throw new IllegalStateException("no line to the satellite");
        }

        @Tool("waits")
        void waits() throws InterruptedException {
            Thread.currentThread().interrupt();
            Thread.sleep(10_000);
        }
    }

    private static final ReplayRecord SOME_RECORD =
            Models.tiny().prompt("A").maxTokens(1).reply().record(); // of no matter here

    private final List<Message> told = new ArrayList<>();

    /** A model that says these things, one after the other. */
    private ToolLoop.Rounds says(Toolbox box, String... answers) {
        ArrayDeque<String> left = new ArrayDeque<>(List.of(answers));
        return results -> {
            told.addAll(results);
            String raw = left.size() == 1 ? left.getFirst() : left.remove();
            Reply.Said said = Saying.of(raw, List.of(), new Speech(Dialect.of("<tool_call>"), false, box.schemas()));
            Usage usage = new Usage(1, 0, 1);
            return new Reply(
                    said,
                    new int[1],
                    said.toolCalls().isEmpty() ? StopReason.END : StopReason.TOOL_CALLS,
                    0,
                    usage,
                    new Timings(Duration.ZERO, Duration.ZERO, Duration.ZERO, usage),
                    List.of(),
                    SOME_RECORD);
        };
    }

    private static String call(String json) {
        return "<tool_call>" + json + "</tool_call>";
    }

    private static String named(String name) {
        return call("{\"name\": \"" + name + "\", \"arguments\": {}}");
    }

    private Reply run(Weather weather, int rounds, boolean failing, String... answers) {
        Toolbox box = Toolbox.EMPTY.plus(List.of(weather, new ToolSpec("mine", "", Map.of())));
        return new ToolLoop(box, rounds, failing).run(says(box, answers));
    }

    @Test
    void aToolIsCalledAndItsResultTold() {
        Weather weather = new Weather();
        Reply reply = run(
                weather,
                8,
                false,
                call("{\"name\": \"weather\", \"arguments\": {\"place\": {\"city\": \"Seoul\"}}}")
                        + call(
                                "{\"name\": \"weather\", \"arguments\": {\"place\": {\"city\": \"Busan\"}, \"days\": 3}}"),
                "It is clear.");
        assertThat(reply.text()).isEqualTo("It is clear.");
        assertThat(weather.thread).isSameAs(Thread.currentThread());
        assertThat(told).hasSize(2).allMatch(Message.ToolResult.class::isInstance);
        assertThat(told.get(0).text()).isEqualTo("{\"sky\": \"Seoul is clear\", \"degrees\": 20}");
        assertThat(told.get(1).text()).isEqualTo("{\"sky\": \"Busan is clear\", \"degrees\": 3}");
        assertThat(((Message.ToolResult) told.get(0)).callId())
                .hasSize(9)
                .isNotEqualTo(((Message.ToolResult) told.get(1)).callId());
    }

    @Test
    void whatTheModelDidWrongIsToldToIt() {
        Reply reply = run(
                new Weather(),
                8,
                false,
                named("climate"),
                named("weather"),
                call("{\"name\": \"weather\", \"arguments\": {\"place\": {\"city\": [1]}}}"),
                named("broken"),
                "Sorry.");
        assertThat(reply.text()).isEqualTo("Sorry.");
        assertThat(told)
                .extracting(Message::text)
                .satisfiesExactly(
                        unknown -> assertThat(unknown).contains("no tool \"climate\"", "weather", "broken", "mine"),
                        missing -> assertThat(missing).contains("\"place\" is missing"),
                        wrong -> assertThat(wrong).contains("place.city: a text is wanted"),
                        thrown -> assertThat(thrown).isEqualTo("error: broken failed: no line to the satellite"));
    }

    @Test
    void aFailingToolMayEndIt() {
        assertThatExceptionOfType(ToolException.class)
                .isThrownBy(() -> run(new Weather(), 8, true, named("broken"), "x"))
                .withMessageContaining("no line to the satellite")
                .withCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void roundsAreBounded() {
        assertThatExceptionOfType(ToolException.class)
                .isThrownBy(() -> run(new Weather(), 3, false, named("broken")))
                .withMessageContaining("maxToolRounds allows 3");
        assertThat(told).hasSize(3);
    }

    @Test
    void theCallersToolIsLeftToTheCaller() {
        Reply reply = run(new Weather(), 8, false, "Wait." + named("weather") + named("mine"));
        assertThat(told).isEmpty();
        assertThat(reply.stopReason()).isEqualTo(StopReason.TOOL_CALLS);
        assertThat(reply.toolCalls()).extracting(ToolCall::name).containsExactly("weather", "mine");
        assertThat(reply.message().text()).isEqualTo("Wait.");
        assertThat(reply.message().toolCalls()).isEqualTo(reply.toolCalls());
    }

    @Test
    void anInterruptEndsIt() {
        assertThatExceptionOfType(GenerationInterruptedException.class)
                .isThrownBy(() -> run(new Weather(), 8, false, "One moment." + named("waits")))
                .satisfies(e -> assertThat(e.partial()).hasToString("One moment."));
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void mistakesOfTheCallerAreSentences() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Toolbox.EMPTY.plus(List.of("weather")))
                .withMessageContaining("no method with @Tool");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Toolbox.EMPTY.plus(List.of(new Weather(), new Weather())))
                .withMessageContaining("two tools are called");
    }
}
