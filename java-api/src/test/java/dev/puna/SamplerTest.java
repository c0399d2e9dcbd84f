// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A sampler's arguments: name, value and range are said. */
class SamplerTest {
    private static void refused(Runnable call, String... words) {
        assertThatIllegalArgumentException()
                .isThrownBy(call::run)
                .satisfies(e -> assertThat(e.getMessage()).contains(words));
    }

    @Test
    void whatIsOutOfRangeIsRefused() {
        refused(() -> Sampler.temperature(Float.NaN), "temperature is NaN", "0.0 to 100.0");
        refused(() -> Sampler.temperature(-1), "temperature is -1.0");
        refused(() -> Sampler.temperature(Float.POSITIVE_INFINITY), "temperature is Infinity");
        refused(() -> Sampler.topK(-1), "topK is -1");
        refused(() -> Sampler.topP(1.01f), "topP is 1.01", "0.0 to 1.0");
        refused(() -> Sampler.topP(Float.NaN), "topP is NaN");
        refused(() -> Sampler.minP(-.1f), "minP is -0.1");
        refused(() -> Sampler.greedy().penalties(p -> p.repeat(0)), "repeat is 0.0", "above 0");
        refused(() -> Sampler.greedy().penalties(p -> p.repeat(Float.NaN)), "repeat is NaN");
        refused(() -> Sampler.greedy().penalties(p -> p.frequency(101)), "frequency is 101.0");
        refused(() -> Sampler.greedy().penalties(p -> p.presence(Float.NaN)), "presence is NaN");
        refused(() -> Sampler.greedy().penalties(p -> p.window(-2)), "window is -2");
        refused(() -> Sampler.typical(1.1f), "typical is 1.1");
        refused(() -> Sampler.topNSigma(-1), "topNSigma is -1.0");
        refused(() -> Sampler.xtc(2, .1f), "xtc probability is 2.0");
        refused(() -> Sampler.xtc(1, Float.NaN), "xtc threshold is NaN");
        refused(() -> Sampler.mirostat(-1, .1f), "mirostat tau is -1.0");
        refused(() -> Sampler.mirostat2(5, -1), "mirostat eta is -1.0");
        refused(() -> Sampler.dry(-1, 2, 2, -1), "dry multiplier is -1.0");
        refused(() -> Sampler.dry(1, .5f, 2, -1), "dry base is 0.5");
        refused(() -> Sampler.dry(1, 2, 0, -1), "dry allowedLength is 0");
        refused(() -> Sampler.dynamicTemperature(1, -1, 1), "temperature range is -1.0");
        refused(() -> Sampler.adaptiveP(.5f, 1), "adaptiveP decay is 1.0");
        refused(() -> Sampler.greedy().logitBias(Map.of(-1, 1f)), "token -1");
        refused(() -> Sampler.greedy().logitBias(Map.of(3, Float.NaN)), "token 3 is NaN");
        refused(() -> Sampler.greedy().dryBreakers(""), "0 bytes");
        Sampler.Stage[] many = new Sampler.Stage[17];
        Arrays.fill(many, Sampler.topK(1));
        refused(() -> Sampler.of(many), "17 stages", "at most 16");
    }

    @Test
    void seedsAreKeptThroughTheChain() {
        Sampler seeded = Sampler.of(Sampler.topK(3)).seed(9).penalties(p -> p.repeat(1.1f));
        assertThat(seeded.seed()).hasValue(9);
        assertThat(seeded.stages()).hasSize(2);
        assertThat(Sampler.of().seed()).isEmpty();
    }

    @Test
    void contextOptionsAreChecked() {
        ContextOptions options = new ContextOptions();
        refused(() -> options.contextLength(1), "contextLength is 1");
        refused(() -> options.maxSequences(0), "maxSequences is 0", "1 to 1024");
        refused(() -> options.maxQueue(-1), "maxQueue is -1");
        refused(() -> options.threads(257), "threads is 257");
        refused(() -> options.stepTokens(4097), "stepTokens is 4097");
        refused(() -> options.cacheBudget(0), "cacheBudget is 0");
    }
}
