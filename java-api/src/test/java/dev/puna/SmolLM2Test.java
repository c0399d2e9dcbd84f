// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The default model beside an independent implementation, which computed on its decoded weights in float32. */
@Timeout(120)
class SmolLM2Test {
    /** Activations are rounded to 8 bits: where the best two are closer than this, either may win. */
    private static final float CLOSE = .25f;

    private static final Map<String, Golden> GOLDENS =
            Golden.cases(Models.DATA.resolve("goldens/smollm2-135m-instruct-q4_1.golden"));

    private final Model model = Models.smollm2();

    @Test
    void greedyTokensAreEqualUpToTheFirstCloseCall() {
        assertThat(GOLDENS).hasSizeGreaterThanOrEqualTo(5);
        GOLDENS.forEach((name, golden) -> {
            List<Float> margins = golden.floats("margins");
            int sure = 0;
            while (sure < margins.size() && margins.get(sure) >= CLOSE) {
                sure++;
            }
            int[] expected = Arrays.copyOf(golden.ids("continuation"), sure);
            if (sure > 0) {
                int[] tokens = model.prompt(golden.ids("ids"))
                        .sampler(Sampler.greedy())
                        .ignoreEnd()
                        .maxTokens(sure)
                        .reply()
                        .tokens();
                assertThat(tokens).as(name).isEqualTo(expected);
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
                assertThat(first.top())
                        .as(name)
                        .filteredOn(candidate -> candidate.id() == id)
                        .singleElement()
                        .satisfies(candidate ->
                                assertThat(candidate.logprob()).isCloseTo(expected, within(bound(name, expected))));
            }
        });
    }

    @Test
    void aTextsScoreIsTheSumOfItsTokens() {
        for (String name : List.of("english", "code")) {
            Golden golden = GOLDENS.get(name);
            Score score = model.score(golden.text("text"));
            double expected = golden.floats("prompt_logprobs").stream()
                    .mapToDouble(Float::doubleValue)
                    .sum();
            assertThat(score.tokens()).isEqualTo(golden.ids("ids").length - 1);
            assertThat(score.logProbability()).as(name).isCloseTo(expected, within(.03 * -expected));
            assertThat(score.perplexity()).isCloseTo(Math.exp(-score.logProbability() / score.tokens()), within(1e-9));
        }
        String sense = "The capital of France is Paris.";
        assertThat(model.score(sense).logProbability())
                .isGreaterThan(model.score("The capital of France is carrot.").logProbability());
    }

    @Test
    void aLongTextIsScoredInSlices() {
        String text = "The ferry was late again. ".repeat(60); // more rows than one slice holds
        Score score = model.score(text);
        assertThat(score.tokens()).isGreaterThan((1 << 24) / model.info().vocabulary());
        assertThat(score.perplexity()).isBetween(1.0, 2.0); // what comes again and again is no surprise
    }

    /** In bare Korean, which the model hardly knows, tokens of less than half a percent are further off. */
    private static float bound(String name, float expected) {
        return name.equals("korean") && expected < Math.log(.005) ? 2 * CLOSE : CLOSE;
    }

    @Test
    void promptsGiveTheRecordedIds() {
        GOLDENS.forEach((name, golden) -> {
            byte[] text = golden.text("text").getBytes(java.nio.charset.StandardCharsets.UTF_8);
            assertThat(model.tokenizer().encode(text, true, false)).as(name).isEqualTo(golden.ids("ids"));
        });
    }

    @Test
    void theChatTemplateGivesTheRecordedIds() {
        String question = "Why is the sky blue? Answer in two sentences.";
        assertThat(model.chat(List.of(Message.user(question))).tokens())
                .isEqualTo(GOLDENS.get("chat english").ids("ids"));
    }

    @Test
    void thousandsOfStringsGiveTheRecordedIds() {
        List<String> strings = Golden.lines(Models.DATA.resolve("tokenizer/strings.txt"));
        List<String> ids = Golden.lines(Models.DATA.resolve("tokenizer/smollm2.ids"));
        assertThat(strings).hasSameSizeAs(ids).hasSizeGreaterThan(4000);
        for (int i = 0; i < strings.size(); i++) {
            String text = Golden.unescaped(strings.get(i));
            int[] encoded = model.tokenizer().encode(text);
            assertThat(encoded).as(strings.get(i)).isEqualTo(Golden.numbers(ids.get(i)));
        }
    }

    @Test
    void controlTokensMatchOnlyWhereTheyMay() {
        List<String> strings = Golden.lines(Models.DATA.resolve("tokenizer/special.txt"));
        List<String> on = Golden.lines(Models.DATA.resolve("tokenizer/smollm2.special_on.ids"));
        List<String> off = Golden.lines(Models.DATA.resolve("tokenizer/smollm2.special_off.ids"));
        assertThat(strings).hasSameSizeAs(on).hasSameSizeAs(off).hasSizeGreaterThan(500);
        for (int i = 0; i < strings.size(); i++) {
            byte[] text = Golden.unescaped(strings.get(i)).getBytes(java.nio.charset.StandardCharsets.UTF_8);
            assertThat(model.tokenizer().encode(text, true, false)).isEqualTo(Golden.numbers(on.get(i)));
            assertThat(model.tokenizer().encode(text, false, false)).isEqualTo(Golden.numbers(off.get(i)));
            assertThat(model.tokenizer().decodeBytes(Golden.numbers(off.get(i)), true))
                    .isEqualTo(text);
        }
    }

    @Test
    void whatItIs() {
        ModelInfo info = model.info();
        assertThat(info.architecture()).isEqualTo("llama");
        assertThat(info.type()).isEqualTo("Q4_1");
        assertThat(info.layers()).isEqualTo(30);
        assertThat(info.embeddingLength()).isEqualTo(576);
        assertThat(info.feedForwardLength()).isEqualTo(1536);
        assertThat(info.heads()).isEqualTo(9);
        assertThat(info.headsKv()).isEqualTo(3);
        assertThat(info.headDimension()).isEqualTo(64);
        assertThat(info.vocabulary())
                .isEqualTo(49152)
                .isEqualTo(model.tokenizer().size());
        assertThat(info.contextLength()).isEqualTo(8192);
        assertThat(info.parameters()).isBetween(134_000_000L, 135_000_000L);
        assertThat(model.tokenizer().endsGeneration(model.tokenizer().eos().getAsInt()))
                .isTrue();
    }
}
