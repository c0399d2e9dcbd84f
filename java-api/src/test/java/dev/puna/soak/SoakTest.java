// SPDX-License-Identifier: Apache-2.0
package dev.puna.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.testing.Models;
import dev.puna.testing.Seeded;
import java.time.Duration;
import java.util.Random;

/** A short soak; {@code ci/soak/check.sh} runs longer ones. */
class SoakTest {
    @Seeded
    void nothingIsLostNorWrongNorLeftBehind(Random random) {
        Soak soak = new Soak(Models.tiny(), 80, Duration.ofSeconds(4), random.nextLong());
        assertThat(soak.run()).isEmpty();
        assertThat(soak.table()).contains("completed", "evictions", "milliseconds to the first token, p99");
        assertThat(soak.json()).startsWith("{\"model\":\"tiny-chat.gguf\",\"callers\":80");
    }
}
