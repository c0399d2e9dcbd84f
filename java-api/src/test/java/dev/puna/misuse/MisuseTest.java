// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.testing.Seeded;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;

/**
 * The {@link Game} for some seconds. {@code -Dpuna.misuse.seconds=600} plays longer; {@code -Dpuna.seed=N} gives each
 * player the moves that it had.
 */
class MisuseTest {
    private static final int SECONDS = Integer.getInteger("puna.misuse.seconds", 8);

    @TempDir
    Path folder;

    @Seeded
    void anythingGoesAndNothingBreaks(Random random) throws Exception {
        Map<String, Long> counts = Game.play(folder, SECONDS, random);
        System.out.println("misuse: " + counts);
        assertThat(counts.get("whole answers")).isGreaterThan(2L * SECONDS);
        assertThat(counts.get("whole turns")).isGreaterThan(SECONDS / 2);
    }
}
