// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Encoder-decoders: translations, summaries, beams; what they refuse. */
class TextToTextTest {
    private static final Path FOLDER = Models.DATA.resolve("text_to_text");

    @SuppressWarnings("NullAway.Init")
    private static Model t5;

    @BeforeAll
    static void load() {
        t5 = Model.builder(FOLDER.resolve("t5_gated.gguf"))
                .defaultContext(c -> c.cacheType(CacheType.F32).threads(2))
                .load();
    }

    @AfterAll
    static void close() {
        t5.close();
    }

    @Test
    void saysWhatItCan() {
        assertThat(t5.capabilities()).containsExactly(Capability.GENERATE, Capability.TEXT_TO_TEXT);
    }

    @Test
    void beamsFindWhatTransformersFinds() {
        Map<String, Golden> cases = Golden.cases(FOLDER.resolve("t5_gated.golden"));
        assertThat(cases).hasSize(5);
        cases.forEach((name, golden) -> {
            int[] source = golden.ids("source");
            assertThat(t5.prompt(source).maxTokens(24).beams(4).reply().tokens())
                    .as(name)
                    .isEqualTo(golden.ids("beams 4 1.0 False"));
            assertThat(t5.prompt(source)
                            .maxTokens(24)
                            .beams(4)
                            .lengthPenalty(2)
                            .reply()
                            .tokens())
                    .as(name)
                    .isEqualTo(golden.ids("beams 4 2.0 False"));
            assertThat(t5.prompt(source)
                            .maxTokens(24)
                            .beams(4)
                            .earlyStopping(EarlyStopping.YES)
                            .reply()
                            .tokens())
                    .as(name)
                    .isEqualTo(golden.ids("beams 4 1.0 True"));
        });
    }

    @Test
    void tasksAreToldByPrefixes() {
        TextToText german = t5.translate("a house", Locale.ENGLISH, Locale.GERMAN);
        assertThat(german.prefix()).isEqualTo("translate English to German: ");
        Reply reply = german.maxTokens(10).ignoreEnd().reply();
        assertThat(reply.tokens()).hasSize(10);
        int[] ids = t5.tokenizer().encode("translate English to German: a house".getBytes(), false, true);
        assertThat(ids[ids.length - 1])
                .as("the end is what the encoder reads last")
                .isEqualTo(1);
        assertThat(reply.usage().promptTokens()).isEqualTo(ids.length);
        assertThat(t5.prompt("translate English to German: a house")
                        .sampler(Sampler.greedy())
                        .maxTokens(10)
                        .ignoreEnd()
                        .reply()
                        .tokens())
                .isEqualTo(reply.tokens());
        assertThat(t5.summarize("a house").prefix()).isEqualTo("summarize: ");
        assertThat(t5.summarize("a house").prefix("tl;dr ").prefix()).isEqualTo("tl;dr ");
    }

    @Test
    void searchesAreRecordedAndReplayed() {
        Reply reply = t5.summarize("the old house by the sea")
                .beams(3)
                .lengthPenalty(.5f)
                .maxTokens(20)
                .reply();
        ReplayRecord record = ReplayRecord.parse(reply.record().json());
        assertThat(record.replay(t5, o -> o.maxSequences(3).threads(1)).isEqual())
                .isTrue();
    }

    @Test
    void decodersSearchToo() {
        Reply best = Models.tiny().prompt("Hello").beams(4).maxTokens(8).reply();
        assertThat(best.tokens()).isNotEmpty();
        assertThat(best.tokens())
                .isEqualTo(Models.tiny()
                        .prompt("Hello")
                        .beams(4)
                        .maxTokens(8)
                        .reply()
                        .tokens());
    }

    @Test
    void manyAtOnceGiveWhatEachGivesAlone() {
        List<String> texts = List.of("a", "the sea and the house", "one two three four five six seven", "no");
        List<int[]> alone = texts.stream()
                .map(t -> t5.summarize(t).beams(4).maxTokens(16).reply().tokens())
                .toList();
        List<TextStream> together = texts.stream()
                .map(t -> t5.summarize(t).beams(4).maxTokens(16).stream())
                .toList();
        for (int i = 0; i < texts.size(); i++) {
            try (TextStream stream = together.get(i)) {
                assertThat(stream.reply().tokens()).isEqualTo(alone.get(i));
            }
        }
    }

    @Test
    void whatAModelCantIsRefused() {
        assertThatThrownBy(() -> Models.tiny().translate("a", Locale.ENGLISH, Locale.GERMAN))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("can't translate")
                .hasMessageContaining("GENERATE");
        assertThatThrownBy(() -> Models.tiny().summarize("a")).isInstanceOf(UnsupportedModelException.class);
        assertThatThrownBy(t5::newChat)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("can't hold a conversation")
                .hasMessageContaining("TEXT_TO_TEXT");
        assertThatThrownBy(() -> t5.chat(List.of(Message.user("a")))).isInstanceOf(UnsupportedModelException.class);
        assertThatThrownBy(() -> t5.score("a house")).isInstanceOf(UnsupportedModelException.class);
        assertThatThrownBy(() -> t5.embed("a house").vector()).isInstanceOf(UnsupportedModelException.class);
    }

    @Test
    void whatHasNoPlaceInASearchIsRefused() {
        assertThatThrownBy(() -> t5.prompt("a").beams(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> t5.prompt("a").beams(33)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> t5.prompt("a").lengthPenalty(Float.NaN)).isInstanceOf(IllegalArgumentException.class);
        for (Prompt prompt : Arrays.asList(
                t5.prompt("a").sampler(Sampler.of(Sampler.temperature(.5f))),
                t5.prompt("a").stop("x"),
                t5.prompt("a").regex("a+"),
                t5.prompt("a").logits(l -> {}))) {
            assertThatThrownBy(() -> prompt.beams(2).text())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("beams");
        }
        try (Context narrow = t5.newContext(o -> o.maxSequences(2))) {
            assertThatThrownBy(() -> narrow.prompt("a").beams(3).text())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("max_sequences");
        }
    }
}
