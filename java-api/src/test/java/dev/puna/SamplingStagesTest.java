// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.testing.Models;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every stage on a model, from the fluent call to the token. */
@Timeout(60)
class SamplingStagesTest {
    /** What repeats, for penalties and DRY. */
    private static final int[] PROMPT = {20, 90, 91, 92, 20, 90, 91, 92, 20, 90, 91, 92, 20};

    /** Knows nothing: its distributions are flat, and every stage finds something to do. */
    private static final Model MODEL = Model.load(Models.DATA.resolve("tiny/llama_q4_1.gguf"));

    @AfterAll
    static void close() {
        MODEL.close();
    }

    private Prompt ask(Sampler sampler) {
        return MODEL.prompt(PROMPT).sampler(sampler).ignoreEnd().maxTokens(24);
    }

    private int[] tokens(Sampler sampler) {
        return ask(sampler).reply().tokens();
    }

    private int[] tokens(Sampler.Stage... stages) {
        return tokens(Sampler.of(stages).seed(11));
    }

    private static Map<String, Sampler.Stage> stages() {
        Map<String, Sampler.Stage> all = new LinkedHashMap<>();
        all.put("dry", Sampler.dry(1.5f, 1.75f, 1, -1));
        all.put("topNSigma", Sampler.topNSigma(2.5f));
        all.put("topK", Sampler.topK(60));
        all.put("typical", Sampler.typical(.97f));
        all.put("topP", Sampler.topP(.95f));
        all.put("minP", Sampler.minP(.02f));
        all.put("xtc", Sampler.xtc(.7f, .05f));
        all.put("temperature", Sampler.temperature(1.3f));
        all.put("dynamicTemperature", Sampler.dynamicTemperature(1.1f, .6f, 1.2f));
        all.put("mirostat", Sampler.mirostat(2.5f, .3f));
        all.put("mirostat2", Sampler.mirostat2(2.5f, .3f));
        all.put("adaptiveP", Sampler.adaptiveP(.1f, .8f));
        all.put("repetition", Sampler.repetition(p -> p.frequency(.4f).presence(.4f)));
        return all;
    }

    private static final Sampler.Stage PLAIN = Sampler.temperature(1);

    @Test
    void everyStageArrivesAndIsRepeatable() {
        int[] plain = tokens(PLAIN);
        stages().forEach((name, stage) -> {
            int[] tokens = tokens(stage, PLAIN);
            assertThat(tokens).as(name).hasSize(24).isNotEqualTo(plain);
            assertThat(tokens(stage, PLAIN)).as(name).isEqualTo(tokens);
        });
    }

    @Test
    void allInOneChainAreRepeatable() {
        List<Sampler.Stage> chain = new ArrayList<>(stages().values());
        Sampler all = Sampler.of(chain.toArray(Sampler.Stage[]::new)).seed(3);
        int[] tokens = tokens(all);
        assertThat(tokens).hasSize(24);
        try (TextStream one = ask(all).stream();
                TextStream two = ask(all).stream();
                TextStream other = ask(all.seed(4)).stream()) {
            assertThat(one.reply().tokens()).isEqualTo(tokens);
            assertThat(two.reply().tokens()).isEqualTo(tokens);
            assertThat(other.reply().tokens()).isNotEqualTo(tokens);
        }
    }

    @Test
    void theOrderIsTheCallers() {
        assertThat(tokens(Sampler.temperature(6), Sampler.topP(.9f)))
                .isNotEqualTo(tokens(Sampler.topP(.9f), Sampler.temperature(6)));
    }

    @Test
    void logitBiasBansAndForces() {
        int[] greedy = tokens(Sampler.greedy());
        int banned = greedy[0];
        assertThat(Arrays.stream(tokens(Sampler.greedy().logitBias(Map.of(banned, Float.NEGATIVE_INFINITY))))
                        .boxed())
                .doesNotContain(banned);
        assertThat(tokens(Sampler.greedy().logitBias(Map.of(banned, 1000f)))).containsOnly(banned);
        assertThatThrownBy(() -> tokens(Sampler.greedy().logitBias(Map.of(1 << 24, 1f))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("16777216");
    }

    @Test
    void dryBreakersEndARepetition() {
        Sampler favoured =
                Sampler.of(Sampler.dry(1000, 2, 2, -1), Sampler.temperature(0)).logitBias(Map.of(90, 100f));
        String before = MODEL.tokenizer().decode(new int[] {92});
        assertThat(tokens(favoured.dryBreakers())[0]).isNotEqualTo(90);
        assertThat(tokens(favoured.dryBreakers(before))[0]).isEqualTo(90);
    }
}
