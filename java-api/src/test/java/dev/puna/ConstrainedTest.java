// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.testing.JsonValidator;
import dev.puna.testing.Models;
import dev.puna.testing.Seeded;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Answers that have a form, whatever the model would rather say. */
@Timeout(120)
class ConstrainedTest {
    private static final List<String> SCHEMAS = List.of("""
            {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer",
             "minimum": 0, "maximum": 130}, "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]},
             "maxItems": 3},
             "mail": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 5}]}}, "required":
             ["name", "age"]}""", """
            {"type": "array", "minItems": 2, "maxItems": 4, "items": {"type": "number", "minimum": -1, "maximum":
             1}}""", """
            {"type": "object", "properties": {"on": {"format": "date"}, "id": {"format": "uuid"}, "at":
             {"format": "date-time"}},
             "required": ["on", "id", "at"], "additionalProperties": false}""", """
            {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"v": {"type": "boolean"},
             "kids":
             {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 1}}, "required": ["v"]}}}""", """
            {"type": "object", "properties": {"k": {"type": "string", "pattern": "^[a-c]{1,4}$"}},
             "additionalProperties": {"type": "boolean"}, "required": ["k"]}""", """
            {"prefixItems": [{"type": "string", "maxLength": 3}, {"type": "integer"}], "items": false,
             "minItems": 2}""");

    private static final Sampler WILD = Sampler.of(Sampler.temperature(1.5f));

    @Seeded(rounds = 40)
    void whatEndsByItselfIsValid(Random random) {
        String schema = SCHEMAS.get(random.nextInt(SCHEMAS.size()));
        Reply reply = Models.tiny()
                .prompt("Say: ")
                .sampler(WILD.seed(random.nextLong()))
                .maxTokens(400)
                .json(schema)
                .reply();
        valid(reply, schema);
    }

    private static void valid(Reply reply, String schema) {
        if (reply.stopReason() == StopReason.LENGTH) {
            return;
        }
        assertThat(reply.stopReason()).isEqualTo(StopReason.END);
        Object parsed = JsonValidator.parse(schema);
        assertThat(JsonValidator.valid(parsed, parsed, JsonValidator.parse(reply.text())))
                .as("%s of %s", reply.text(), schema)
                .isTrue();
    }

    @Test
    void mostAnswersEndByThemselves() {
        int ended = 0;
        for (int seed = 0; seed < 30; seed++) {
            Reply reply = Models.tiny()
                    .prompt("x")
                    .sampler(WILD.seed(seed))
                    .maxTokens(400)
                    .json(SCHEMAS.get(seed % SCHEMAS.size()))
                    .reply();
            ended += reply.stopReason() == StopReason.END ? 1 : 0;
        }
        assertThat(ended).isGreaterThan(20);
    }

    @Test
    void aRealModelFillsAForm() {
        List<CompletableFuture<Reply>> running = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            running.add(Models.smollm2()
                    .chat(List.of(Message.user("Invent a person. Answer in JSON.")))
                    .sampler(Sampler.of(Sampler.temperature(1 + i / 4f)).seed(i))
                    .maxTokens(120)
                    .json(SCHEMAS.get(i))
                    .async());
        }
        for (int i = 0; i < running.size(); i++) {
            valid(running.get(i).join(), SCHEMAS.get(i));
        }
    }

    @Test
    void patternsAndGrammarsToo() {
        Model model = Models.smollm2();
        for (int seed = 0; seed < 5; seed++) {
            Sampler sampler = Sampler.of(Sampler.temperature(1.2f)).seed(seed);
            assertThat(model.prompt("My number is ")
                            .sampler(sampler)
                            .regex("\\d{3}-\\d{4}")
                            .text())
                    .matches("\\d{3}-\\d{4}");
            assertThat(model.prompt("Well? ")
                            .sampler(sampler)
                            .grammar("root ::= \"yes\" | \"no\"")
                            .text())
                    .isIn("yes", "no");
        }
    }

    @Test
    void theSameRequestGivesTheSameTokensAloneAndAmongOthers() {
        Prompt request = Models.tiny()
                .prompt("Say: ")
                .sampler(WILD.seed(5))
                .maxTokens(100)
                .json(SCHEMAS.getFirst());
        int[] alone = request.reply().tokens();
        List<CompletableFuture<Reply>> all = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            all.add((i % 3 == 0
                            ? request
                            : Models.tiny().prompt("x" + i).maxTokens(50).json(SCHEMAS.get(i % 6)))
                    .async());
        }
        for (int i = 0; i < 12; i++) {
            Reply reply = all.get(i).join();
            if (i % 3 == 0) {
                assertThat(reply.tokens()).isEqualTo(alone);
            }
        }
    }

    @Test
    void aChatGoesOnAfterAForm() {
        try (Chat chat = Models.tiny().newChat()) {
            Reply first = chat.user("Yes or no?")
                    .sampler(Sampler.greedy())
                    .regex("yes|no")
                    .reply();
            assertThat(first.text()).isIn("yes", "no");
            assertThat(first.stopReason()).isEqualTo(StopReason.END);
            Reply second = chat.user("Sure?")
                    .sampler(Sampler.greedy())
                    .regex("very \\w{3}")
                    .reply();
            assertThat(second.text()).matches("very \\w{3}");
            assertThat(second.usage().cachedTokens()).isPositive();
            assertThat(chat.messages()).hasSize(4);
        }
    }

    @Test
    void mistakesAreFoundBeforeAnythingIsGenerated() {
        Model model = Models.tiny();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.prompt("x").json("{\"not\": {}}"))
                .withMessageContaining("#/not");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.prompt("x").regex("(a"))
                .withMessageContaining("offset");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.prompt("x").grammar("root ::= \"a").text())
                .withMessageContaining("line 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.prompt("x").grammar("root ::= <think>").text());
        try (Chat chat = model.newChat()) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> chat.user("x").grammar("").text());
            assertThat(chat.messages()).isEmpty();
            assertThat(chat.user("x").maxTokens(3).text()).isNotNull();
        }
    }

    @Test
    void aFormThatIsCutSaysSo() {
        Reply reply =
                Models.tiny().prompt("x").maxTokens(4).json(SCHEMAS.get(2)).reply();
        assertThat(reply.stopReason()).isEqualTo(StopReason.LENGTH);
        assertThat(reply.text()).startsWith("{");
    }

    @Test
    void virtualThreadsMayAskToo() throws InterruptedException {
        List<String> answers = new ArrayList<>();
        Thread thread = Thread.startVirtualThread(
                () -> answers.add(Models.tiny().prompt("x").regex("[ab]{3}c").text()));
        thread.join();
        assertThat(answers).singleElement().asString().matches("[ab]{3}c");
    }
}
