// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.testing.Models;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Answers that become values of Java. */
@Timeout(120)
class AsTest {
    enum Colour {
        RED,
        GREEN
    }

    record Point(int x, byte y) {}

    record Form(UUID id, LocalDate day, Colour colour, List<Point> points, Optional<Boolean> sure, Set<Colour> more) {}

    record Bag(Map<String, Double> measures, Object anything) {}

    sealed interface Shape permits Circle, Square {}

    record Circle(long radius) implements Shape {}

    record Square(long side) implements Shape {}

    record Tree(boolean leaf, List<Tree> branches) {}

    private static final Sampler WILD = Sampler.of(Sampler.temperature(1.3f));

    private static Prompt ask(int seed) {
        return Models.tiny().prompt("Say: ").sampler(WILD.seed(seed)).maxTokens(700);
    }

    @Test
    void anyWholeAnswerIsAValue() {
        int whole = 0;
        for (int seed = 0; seed < 40; seed++) {
            try {
                Form form = ask(seed).as(Form.class);
                assertThat(form.colour()).isNotNull();
                whole++;
            } catch (IncompleteAnswerException e) {
                assertThat(e.partial().stopReason()).isEqualTo(StopReason.LENGTH);
                assertThat(e.partial().text()).startsWith("{");
            }
        }
        assertThat(whole).isGreaterThan(10);
    }

    @Test
    void whatHasNoEndMayBeCutButNeverWrong() {
        for (int seed = 0; seed < 20; seed++) {
            try {
                assertThat(ask(seed).maxTokens(150).as(Bag.class).measures()).isNotNull();
            } catch (IncompleteAnswerException e) {
                assertThat(e.partial().text()).startsWith("{");
            }
        }
    }

    @Test
    void typesWithArgumentsAndCases() {
        for (int seed = 0; seed < 10; seed++) {
            List<Colour> colours = ask(seed).as(new TypeRef<List<Colour>>() {});
            assertThat(colours).isSubsetOf(Colour.values());
            Shape shape = ask(seed).as(Shape.class);
            assertThat(shape).isInstanceOfAny(Circle.class, Square.class);
            assertThat(ask(seed).as(Boolean.class)).isIn(true, false);
            assertThat(ask(seed).as(Integer.class)).isInstanceOf(Integer.class);
        }
    }

    @Test
    void aRealModelInAChat() {
        record City(String name, int people) {}
        try (Chat chat = Models.smollm2().newChat()) {
            City city = chat.user("Name a large city. Answer as JSON.")
                    .sampler(Sampler.greedy())
                    .maxTokens(100)
                    .as(City.class);
            assertThat(city.name()).isNotEmpty();
            assertThat(chat.messages()).hasSize(2);
        }
    }

    @Test
    void aCutAnswerIsToldWithItsBeginning() {
        assertThatExceptionOfType(IncompleteAnswerException.class)
                .isThrownBy(() -> Models.tiny().prompt("x").maxTokens(3).as(Tree.class))
                .withMessageContaining("LENGTH")
                .satisfies(e -> assertThat(e.partial().text()).startsWith("{"));
    }

    @Test
    void aFormThatWasAskedForStays() {
        Point point = Models.tiny()
                .prompt("x")
                .json("{\"properties\":{\"x\":{\"const\":3},\"y\":{\"const\":4}},\"required\":[\"x\",\"y\"]}")
                .as(Point.class);
        assertThat(point).isEqualTo(new Point(3, (byte) 4));
    }

    @Test
    void typesWithoutAFormAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Models.tiny().prompt("x").as(Thread.class));
    }
}
