// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.testing.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records of generations, and their replays. */
@Timeout(120)
class ReplayTest {
    private static final Sampler FREE = Sampler.of(Sampler.topK(50), Sampler.temperature(1.7f))
            .penalties(p -> p.repeat(1.1f).presence(.3f));

    private final Model model = Models.tiny();

    private Reply generated(long seed) {
        return model.prompt("The ferry between")
                .sampler(FREE.seed(seed))
                .maxTokens(40)
                .reply();
    }

    @Test
    void aReplayIsEqualWithOtherThreadsAndStepsAndNeighbours(@TempDir Path folder) {
        Path file = folder.resolve("record.json");
        generated(7).record().save(file);
        ReplayRecord read = ReplayRecord.read(file);
        assertThat(read.tokens()).isEqualTo(generated(7).tokens());
        for (int threads = 1; threads <= 3; threads++) {
            int count = threads;
            ReplayRecord.Result result =
                    read.replay(model, o -> o.threads(count).stepTokens(3));
            assertThat(result.isEqual()).as(result.toString()).isTrue();
            assertThat(result).hasToString("equal: " + read.tokens().length + " tokens");
        }
        assertThat(folder.toFile().list()).containsExactly("record.json");
    }

    @Test
    void whatIsReadIsWhatWasWritten() {
        ReplayRecord record = model.prompt("A \"text\"\n\u0001 안녕 🙂")
                .sampler(FREE.seed(Long.MIN_VALUE + 3))
                .stop("\n\n", "\uD83D\uDE42", "\"")
                .maxTokens(5)
                .reply()
                .record();
        assertThat(ReplayRecord.parse(record.json()).json()).isEqualTo(record.json());
        assertThat(record.seed()).isEqualTo(Long.MIN_VALUE + 3);
        assertThat(record.modelFingerprint()).isEqualTo(model.info().fingerprint());
    }

    @Test
    void anAlteredTokenIsFound() {
        ReplayRecord record = generated(11).record();
        int[] tokens = record.tokens();
        int at = tokens.length / 2;
        String before = ", " + tokens[at - 1] + ", " + tokens[at] + ",";
        int other = tokens[at] == 5 ? 6 : 5;
        int list = record.json().indexOf("\"tokens\": ");
        String altered = record.json().substring(0, list)
                + record.json().substring(list).replaceFirst(before, ", " + tokens[at - 1] + ", " + other + ",");
        ReplayRecord.Result result = ReplayRecord.parse(altered).replay(model);
        assertThat(result.isEqual()).isFalse();
        assertThat(result.firstDifference()).isBetween(1, at); // the pair may stand earlier, too
        assertThat(result.toString()).startsWith("differs at token ").contains("id " + other);
    }

    @Test
    void anotherSeedDiffers() {
        String json = generated(3).record().json().replace("\"seed\": \"3\"", "\"seed\": \"4\"");
        assertThat(ReplayRecord.parse(json).replay(model).isEqual()).isFalse();
    }

    @Test
    void oneThatWasCutByTheClockIsRepeatedUpToThere() {
        Reply cut = Models.smollm2()
                .prompt("Once upon a time")
                .sampler(FREE.seed(5))
                .ignoreEnd()
                .timeout(Duration.ofMillis(300))
                .reply();
        assertThat(cut.stopReason()).isEqualTo(StopReason.TIMEOUT);
        ReplayRecord.Result result = cut.record().replay(Models.smollm2());
        assertThat(result.isEqual()).as(result.toString()).isTrue();
    }

    @Test
    void aTurnOfAChatIsReplayedWithoutTheChat() {
        try (Chat chat = model.newChat(o -> {})) {
            chat.user("Hello").maxTokens(20).text();
            Reply second = chat.user("Count to twenty.").maxTokens(20).reply();
            assertThat(second.usage().cachedTokens()).isPositive();
            assertThat(second.record().replay(model).isEqual()).isTrue();
        }
    }

    @Test
    void aGrammarIsReplayed() {
        Reply reply = model.prompt("Hello")
                .regex("(a|b|c){5,20}")
                .sampler(FREE.seed(8))
                .maxTokens(30)
                .reply();
        assertThat(reply.text()).matches("[abc]{5,20}");
        ReplayRecord read = ReplayRecord.parse(reply.record().json());
        assertThat(read.replay(model).isEqual()).isTrue();
    }

    @Test
    void anotherModelIsRefused() {
        ReplayRecord record = generated(1).record();
        assertThatExceptionOfType(PunaException.class)
                .isThrownBy(() -> record.replay(Models.smollm2()))
                .withMessageContaining("another model");
    }

    @Test
    void anotherArithmeticIsRefused() {
        String json = generated(1).record().json().replaceFirst("\"arithmetic\": [0-9]+", "\"arithmetic\": 99");
        assertThatExceptionOfType(PunaException.class)
                .isThrownBy(() -> ReplayRecord.parse(json).replay(model))
                .withMessageContaining("99");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{}",
                "{\"puna_replay\":2}",
                "{\"puna_replay\":1,\"library\":7}",
                "{\"puna_replay\":1.5}"
            })
    void whatIsNoRecordIsASentence(String text) {
        assertThatExceptionOfType(PunaException.class)
                .isThrownBy(() -> ReplayRecord.parse(text))
                .withMessageContaining("no replay record");
    }

    @Test
    void everyFieldIsMissed() throws IOException {
        String json = generated(1).record().json();
        for (String field : List.of(
                "library",
                "arithmetic",
                "model",
                "fingerprint",
                "length",
                "cache",
                "generation",
                "grammar",
                "max_tokens",
                "seed",
                "stages",
                "stops",
                "ignore_end",
                "prompt",
                "tokens",
                "stop")) {
            assertThatExceptionOfType(PunaException.class)
                    .as(field)
                    .isThrownBy(() -> ReplayRecord.parse(json.replace("\"" + field + "\":", "\"x\":")))
                    .withMessageContaining(field);
        }
        Path none = Files.createTempDirectory("puna").resolve("none");
        assertThatExceptionOfType(PunaException.class)
                .isThrownBy(() -> ReplayRecord.read(none))
                .withMessageContaining("no file");
        Files.delete(none.getParent());
    }
}
