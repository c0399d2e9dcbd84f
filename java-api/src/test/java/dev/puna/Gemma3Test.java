// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** Gemma 3 270M beside an independent implementation, which computed on its decoded weights in float32. */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class Gemma3Test {
    /** Activations are rounded to 8 bits: where the best two are closer than this, either may win. */
    private static final float CLOSE = .25f;

    private static final Map<String, Golden> GOLDENS =
            Golden.cases(Models.DATA.resolve("goldens/gemma3-270m-q4_k_m.golden"));

    private Model model;

    @BeforeAll
    void load() {
        model = Models.gemma3();
    }

    @AfterAll
    void close() {
        model.close();
    }

    @Test
    void greedyTokensAreEqualUpToTheFirstCloseCall() {
        assertThat(GOLDENS).hasSizeGreaterThanOrEqualTo(6);
        GOLDENS.forEach((name, golden) -> {
            List<Float> margins = golden.floats("margins");
            int sure = 0;
            while (sure < margins.size() && margins.get(sure) >= CLOSE) {
                sure++;
            }
            if (sure > 0) {
                int[] tokens = model.prompt(golden.ids("ids"))
                        .sampler(Sampler.greedy())
                        .ignoreEnd()
                        .maxTokens(sure)
                        .reply()
                        .tokens();
                assertThat(tokens).as(name).isEqualTo(Arrays.copyOf(golden.ids("continuation"), sure));
            }
        });
    }

    @Test
    void theFirstStepsBestTenAreClose() {
        GOLDENS.forEach((name, golden) -> {
            TokenLogprob first = model.prompt(golden.ids("ids"))
                    .sampler(Sampler.greedy())
                    .maxTokens(1)
                    .logprobs(40)
                    .reply()
                    .logprobs()
                    .getFirst();
            String[] best = golden.text("top10").split(" ");
            assertThat(best).hasSize(20);
            for (int i = 0; i < best.length; i += 2) {
                int id = Integer.parseInt(best[i]);
                float expected = Float.parseFloat(best[i + 1]);
                float bound = expected < Math.log(.02) ? 2.5f * CLOSE : CLOSE; // the unlikely are further off
                assertThat(first.top())
                        .as(name)
                        .filteredOn(candidate -> candidate.id() == id)
                        .singleElement()
                        .satisfies(candidate -> assertThat(candidate.logprob()).isCloseTo(expected, within(bound)));
            }
        });
    }

    @Test
    void promptsGiveTheRecordedIds() {
        GOLDENS.forEach((name, golden) -> {
            byte[] text = golden.text("text").getBytes(StandardCharsets.UTF_8);
            assertThat(model.tokenizer().encode(text, true, true)).as(name).isEqualTo(golden.ids("ids"));
        });
    }

    /** The file brings no template: the turns are those that jinja2 made of Gemma's own one. */
    @Test
    void chatsAreWrittenAsGemmaWasTaught() {
        Map<String, Golden> chats = Golden.cases(Models.DATA.resolve("goldens/gemma3-chat.golden"));
        assertThat(chats).hasSizeGreaterThanOrEqualTo(5);
        chats.forEach((name, golden) -> {
            List<Message> messages = new ArrayList<>();
            for (int i = 0; golden.has("said" + i); i++) {
                String said = golden.text("said" + i);
                messages.add(i % 2 == 0 ? Message.user(said) : Message.assistant(said));
            }
            assertThat(model.chat(messages).rendered()).as(name).isEqualTo(golden.text("text"));
            assertThat(model.chat(messages).tokens()).as(name).isEqualTo(golden.ids("ids"));
        });
    }

    @Test
    void thereIsNoSystemRole() {
        assertThat(model.chat(List.of(Message.system("Be brief."), Message.user("Hi")))
                        .rendered())
                .isEqualTo("<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n");
        assertThat(model.chat(List.of(Message.user("Hello!")))
                        .sampler(Sampler.greedy())
                        .maxTokens(8)
                        .reply()
                        .tokens())
                .isNotEmpty();
    }

    @Test
    void whatItIs() {
        ModelInfo info = model.info();
        assertThat(info.architecture()).isEqualTo("gemma3");
        assertThat(info.layers()).isEqualTo(18);
        assertThat(info.headDimension()).isEqualTo(256);
        assertThat(info.vocabulary())
                .isEqualTo(262_144)
                .isEqualTo(model.tokenizer().size());
        assertThat(info.contextLength()).isEqualTo(32_768);
        for (String end : List.of("<end_of_turn>", "<eos>")) {
            int[] ids = model.tokenizer().encode(end.getBytes(StandardCharsets.UTF_8), true, false);
            assertThat(ids).as(end).hasSize(1);
            assertThat(model.tokenizer().endsGeneration(ids[0])).as(end).isTrue();
        }
        int[] tag = model.tokenizer().encode("</s>".getBytes(StandardCharsets.UTF_8), true, false);
        assertThat(tag).hasSize(1);
        assertThat(model.tokenizer().endsGeneration(tag[0])).as("HTML's </s>").isFalse();
    }
}
