// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The default model, really fetched into this user's own store, which all tests share. */
@Timeout(600)
class StandardModelTest {
    @Test
    void theDefaultModelIsFetchedAndRight() throws IOException {
        ModelStore store = ModelStore.standard();
        ModelReference reference = ModelReference.parse("smollm2");
        Path file = store.fetch(reference);
        assertThat(Files.size(file)).isEqualTo(98_362_432);
        assertThat(Hashes.ofFile(file, new ProgressMeter(reference, null)))
                .isEqualTo("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
        assertThat(store.resolve(reference)).contains(file);
        ModelDescription description = store.describe(reference);
        assertThat(description.present()).isTrue();
        assertThat(description.size()).hasValue(98_362_432);
        assertThat(description.about()).contains("very small model");
    }
}
