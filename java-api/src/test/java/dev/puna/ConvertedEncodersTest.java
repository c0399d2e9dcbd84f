// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.bindings.NativeEmbedding;
import dev.puna.bindings.NativeInput;
import dev.puna.convert.Convert;
import dev.puna.convert.WeightType;
import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of encoders, converted: their last states, or a classifier's scores, beside those of transformers. */
class ConvertedEncodersTest {
    private static final Path FOLDERS = Models.DATA.resolve("folders");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path place;

    @ParameterizedTest
    @ValueSource(strings = {"bert", "roberta", "distilbert", "xlm_roberta", "xlm_roberta_rank", "t5encoder"})
    void statesAreThoseOfTransformers(String name) {
        Golden golden = Objects.requireNonNull(
                Golden.cases(FOLDERS.resolve(name + ".golden")).get(name));
        Path file = place.resolve(name + ".gguf");
        Convert.folder(FOLDERS.resolve(name)).to(file).type(WeightType.F32).run();
        try (Model model = Model.load(file);
                Context context = model.newContext(o -> {})) {
            assertThat(model.capabilities()).contains(Capability.EMBED).doesNotContain(Capability.GENERATE);
            int[] ids = golden.ids("ids");
            boolean ranks = name.endsWith("_rank");
            NativeEmbedding.Pooling pooling = ranks ? NativeEmbedding.Pooling.SCORES : NativeEmbedding.Pooling.LAST;
            NativeEmbedding how = new NativeEmbedding(pooling, 0, false, false);
            int width = ranks ? 1 : model.info().embeddingLength();
            float[] state = context.engine()
                    .wholeTexts()
                    .embed(List.of(new NativeInput(ids, new int[ids.length])), how, width, List.of())[0];
            List<Float> expected = golden.floats("last");
            assertThat(state).hasSize(expected.size());
            double worst = 0;
            for (int i = 0; i < state.length; i++) {
                worst = Math.max(worst, Math.abs(state[i] - expected.get(i)));
            }
            assertThat(worst).as("the largest difference").isLessThan(1e-4);
        }
    }
}
