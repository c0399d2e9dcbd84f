// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

class SeededTest {
    private static final Set<Long> SEEN = ConcurrentHashMap.newKeySet();

    @Seeded(rounds = 3)
    void everyRoundDrawsItsOwnNumbers(Random random) {
        assertThat(SEEN.add(random.nextLong())).isTrue();
    }

    @Test
    void aGivenSeedRunsAlone() {
        assertThat(SeededExtension.seeds(" 42 ", 100, 1).toArray()).containsExactly(42);
    }

    @Test
    void withoutASeedThereAreAsManyAsRounds() {
        assertThat(SeededExtension.seeds("", 100, 1).distinct().count()).isEqualTo(100);
        assertThat(SeededExtension.seeds(null, 2, 1).toArray())
                .isNotEqualTo(SeededExtension.seeds(null, 2, 2).toArray());
    }
}
