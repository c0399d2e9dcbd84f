// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.ModelNotFoundException;
import java.util.List;
import org.junit.jupiter.api.Test;

class HubListingTest {
    private static String choose(String reference, String... files) {
        return new HubListing(null, List.of(files)).choose((ModelReference.HubFile) ModelReference.parse(reference));
    }

    @Test
    void aQuantizationIsAWholeWord() {
        String[] files = {"m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m.Q8_0.gguf", "mmproj-Q8_0.gguf", "x/IQ4_NL.gguf", "README"
        };
        assertThat(choose("o/r:Q4_K_M", files)).isEqualTo("m-Q4_K_M.gguf");
        assertThat(choose("o/r:q8_0", files)).isEqualTo("m.Q8_0.gguf");
        assertThat(choose("o/r:IQ4_NL", files)).isEqualTo("x/IQ4_NL.gguf");
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> choose("o/r:Q4_K", files))
                .withMessageContaining("m-Q4_K_M.gguf");
    }

    @Test
    void withoutAQuantizationTheOnlyOrTheUsualOneIsTaken() {
        assertThat(choose("o/r", "strange.gguf", "config.json")).isEqualTo("strange.gguf");
        assertThat(choose("o/r", "m-Q8_0.gguf", "m-Q4_0.gguf", "m-Q2_K.gguf")).isEqualTo("m-Q4_0.gguf");
        assertThat(choose("o/r:Q8_0", "a-Q8_0-00001-of-00003.gguf", "a-Q8_0-00002-of-00003.gguf"))
                .isEqualTo("a-Q8_0-00001-of-00003.gguf");
    }

    @Test
    void whatDoesNotFitIsASentence() {
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> choose("o/r", "model.safetensors"))
                .withMessageContaining("no GGUF file");
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> choose("o/r:Q8_0", "a-Q8_0.gguf", "b-Q8_0.gguf"))
                .withMessageContaining("several");
    }
}
