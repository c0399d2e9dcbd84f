// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.Description;
import dev.puna.Param;
import dev.puna.internal.json.Json;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MappingTest {
    enum Sky {
        CLEAR,
        CLOUDY
    }

    @Description("a place")
    record City(String name, @Description("in millions") double size, Sky sky) {}

    record Everything(
            boolean yes,
            long big,
            char letter,
            LocalDate day,
            Instant instant,
            Duration time,
            URI link,
            UUID id,
            BigDecimal price,
            Optional<String> note,
            OptionalInt count,
            @Nullable String nick,
            Map<String, int[]> groups,
            Set<Sky> skies,
            Object any) {}

    record Node(String name, List<Node> children) {}

    record Page<T>(List<T> items, Optional<T> best) {}

    sealed interface Figure permits Circle, Round, Square {}

    record Circle(double radius) implements Figure {}

    sealed interface Round extends Figure permits Oval {}

    record Oval(double a, double b) implements Round {}

    record Square(double side) implements Figure {}

    record Even(int number) {
        Even {
            if (number % 2 != 0) {
                throw new IllegalArgumentException("the number is odd");
            }
        }
    }

    private static String schema(Type type) {
        return Json.write(Mapping.of(type).schema());
    }

    private static Object read(Type type, String json) {
        return Mapping.of(type).readText(json);
    }

    @Test
    void aRecordKeepsItsOrderAndDescriptions() {
        assertThat(schema(City.class))
                .isEqualTo("{\"type\": \"object\", \"description\": \"a place\", \"properties\": {"
                        + "\"name\": {\"type\": \"string\"}, "
                        + "\"size\": {\"type\": \"number\", \"description\": \"in millions\"}, "
                        + "\"sky\": {\"type\": \"string\", \"enum\": [\"CLEAR\", \"CLOUDY\"]}}, "
                        + "\"required\": [\"name\", \"size\", \"sky\"], \"additionalProperties\": false}");
        assertThat(read(City.class, "{\"sky\": \"cloudy\", \"size\": 9, \"name\": \"Seoul\"}"))
                .isEqualTo(new City("Seoul", 9, Sky.CLOUDY));
    }

    @Test
    void whatIsWrittenIsReadBack() {
        Everything all = new Everything(
                true,
                Long.MIN_VALUE,
                'ä',
                LocalDate.of(2026, 2, 28),
                Instant.parse("2026-01-02T03:04:05.006Z"),
                Duration.ofMinutes(90),
                URI.create("https://example.org/?q=a"),
                UUID.fromString("12345678-1234-1234-1234-123456789abc"),
                new BigDecimal("12.3400"),
                Optional.of("x"),
                OptionalInt.empty(),
                null,
                Map.of(),
                Set.of(Sky.CLEAR),
                Map.of("a", List.of(1L, "two")));
        String written = Json.write(Mapping.write(all));
        assertThat(read(Everything.class, written)).isEqualTo(all);
        assertThat(Mapping.of(Everything.class).schema().get("required"))
                .asInstanceOf(InstanceOfAssertFactories.LIST)
                .doesNotContain("note", "count", "nick")
                .contains("any", "groups");
        Everything groups =
                (Everything) read(Everything.class, written.replace("\"groups\": {}", "\"groups\": {\"a\": [1, 2]}"));
        assertThat(groups.groups().get("a")).containsExactly(1, 2);
    }

    @Test
    void aTypeInsideItselfIsDefinedOnce() {
        assertThat(schema(Node.class))
                .isEqualTo("{\"$ref\": \"#/$defs/Node\", \"$defs\": {\"Node\": {\"type\": \"object\", \"properties\": {"
                        + "\"name\": {\"type\": \"string\"}, "
                        + "\"children\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/Node\"}}}, "
                        + "\"required\": [\"name\", \"children\"], \"additionalProperties\": false}}}");
        assertThat(read(Node.class, "{\"name\":\"a\",\"children\":[{\"name\":\"b\",\"children\":[]}]}"))
                .isEqualTo(new Node("a", List.of(new Node("b", List.of()))));
    }

    @SuppressWarnings("unused")
    private static Page<City> page() {
        throw new UnsupportedOperationException("only its type is wanted");
    }

    @Test
    void genericRecordsKnowTheirArguments() throws NoSuchMethodException {
        Type page = MappingTest.class.getDeclaredMethod("page").getGenericReturnType();
        assertThat(schema(page)).contains("\"$defs\": {\"City\"").contains("{\"$ref\": \"#/$defs/City\"}");
        assertThat(read(page, "{\"items\":[{\"name\":\"a\",\"size\":1,\"sky\":\"CLEAR\"}]}"))
                .isEqualTo(new Page<>(List.of(new City("a", 1, Sky.CLEAR)), Optional.empty()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Mapping.of(Page.class))
                .withMessageContaining("Page.items")
                .withMessageContaining("TypeRef");
    }

    @Test
    void casesAreToldApartByTheirNames() {
        assertThat(schema(Figure.class))
                .startsWith("{\"anyOf\": [{\"type\": \"object\", \"properties\": {\"type\": {\"const\": \"Circle\"}, "
                        + "\"radius\": {\"type\": \"number\"}}, \"required\": [\"type\", \"radius\"]");
        assertThat(read(Figure.class, "{\"type\":\"Oval\",\"a\":1,\"b\":2}")).isEqualTo(new Oval(1, 2));
        assertThat(Json.write(Mapping.write(new Square(2)))).isEqualTo("{\"type\": \"Square\", \"side\": 2.0}");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> read(Figure.class, "{\"type\":\"Cube\"}"))
                .withMessageContaining("[Circle, Oval, Square]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"name\":\"a\",\"size\":1}                                | \"sky\" is missing",
                "{\"name\":\"a\",\"size\":\"big\",\"sky\":\"CLEAR\"}        | size: a number is wanted, not \"big\"",
                "{\"name\":\"a\",\"size\":1,\"sky\":\"RED\"}                | sky: one of [CLEAR, CLOUDY]",
                "{\"name\":[],\"size\":1,\"sky\":\"CLEAR\"}                 | name: a text is wanted",
                "{\"name\":null,\"size\":1,\"sky\":\"CLEAR\"}               | \"name\" is missing",
                "{\"name\":\"a\",\"size\":1,\"sky\":\"CLEAR\",\"x\":1}      | there is no \"x\" here",
                "[]                                                         | an object is wanted",
                "{\"name\":\"a\",\"size\":1e400,\"sky\":\"CLEAR\"}          | does not fit a double"
            })
    void mistakesSayWhereTheyAre(String json, String words) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> read(City.class, json))
                .withMessageContaining(words);
    }

    @Test
    void whatHasOneMeaningOnlyIsForgiven() {
        assertThat(read(int[].class, "[\"5\", 5.0, 5]")).isEqualTo(new int[] {5, 5, 5});
        assertThat(read(String.class, "5")).isEqualTo("5");
        assertThat(read(boolean.class, "\"True\"")).isEqualTo(true);
        assertThat(read(int[].class, "\"[1]\"")).isEqualTo(new int[] {1});
        for (String wrong : List.of("[5.5]", "[2147483648]", "[null]", "[1e999]", "[\"1e9999999\"]")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> read(int[].class, wrong))
                    .withMessageStartingWith("[0]");
        }
    }

    @Test
    void aRecordMayRefuseItsValues() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> read(Even.class, "{\"number\": 3}"))
                .withMessage("Even refuses its values: the number is odd");
    }

    @Test
    void unsupportedTypesAreNamed() {
        record Holder(Thread thread) {}
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Mapping.of(Holder.class))
                .withMessageContaining("Holder.thread")
                .withMessageContaining("java.lang.Thread");
    }

    @SuppressWarnings("unused")
    private void tool(@Param("place") @Description("its name") String first, @Param("days") Optional<Integer> second) {}

    @Test
    void parametersAreAnObject() throws NoSuchMethodException {
        Parameters parameters =
                Parameters.of(MappingTest.class.getDeclaredMethod("tool", String.class, Optional.class));
        assertThat(Json.write(parameters.schema()))
                .isEqualTo("{\"type\": \"object\", \"properties\": {\"place\": {\"type\": \"string\", \"description\":"
                        + " \"its name\"}, \"days\": {\"type\": \"integer\"}}, \"required\": [\"place\"],"
                        + " \"additionalProperties\": false}");
        assertThat(parameters.read(Map.of("place", "Seoul"))).containsExactly("Seoul", Optional.empty());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> parameters.read(Map.of("days", 2)))
                .withMessage("\"place\" is missing");
    }
}
