// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Profiles and ceilings as the core tells them. */
class NativeProfileTest {
    private static final Path TINY =
            Path.of(System.getProperty("puna.root"), "native", "tests", "data", "tiny", "tiny-chat.gguf");

    private static void generate(NativeEngine engine) {
        long sequence = engine.openSequence();
        engine.generate(sequence, new int[] {5, 6, 7}, NativeGeneration.of(c -> {
            c.maxTokens = 4;
            c.seed = 1;
            c.ignoreEos = true;
        }));
        int active;
        do {
            active = engine.step().active();
            assertThat(engine.nextEvent()).isNotNull();
            while (engine.nextEvent() != null) {}
        } while (active > 0);
        engine.closeSequence(sequence);
    }

    @Test
    void rowsAreThoseOfTheCore() {
        try (NativeModel model = NativeModel.load(TINY, 1, null);
                NativeEngine engine = NativeEngine.create(model, NativeEngineOptions.of(c -> {}))) {
            long before = engine.info().memoryBytes();
            NativeProfile.watch(engine, true);
            assertThat(NativeProfile.read(engine).rows()).isEmpty();
            generate(engine);
            NativeProfile profile = NativeProfile.read(engine);
            assertThat(profile.generatedTokens()).isEqualTo(4);
            assertThat(profile.promptTokens()).isEqualTo(3);
            assertThat(profile.steps()).isEqualTo(4);
            assertThat(profile.runs()).isEqualTo(4);
            assertThat(profile.elapsedNanos()).isGreaterThanOrEqualTo(profile.engineNanos());
            assertThat(profile.engineNanos()).isGreaterThanOrEqualTo(profile.runNanos());
            assertThat(profile.threads()).isEqualTo(engine.info().threads());
            assertThat(profile.rows()).anySatisfy(row -> {
                assertThat(row.op()).isFalse();
                assertThat(row.name()).startsWith("linear ");
                assertThat(row.products()).isPositive();
                assertThat(row.bytes()).isPositive();
            });
            assertThat(profile.rows()).anySatisfy(row -> {
                assertThat(row.op()).isTrue();
                assertThat(row.name()).isEqualTo("attend");
            });
            for (NativeProfile.Row row : profile.rows()) {
                assertThat(row.part()).isEqualTo(NativeProfile.Part.MODEL);
                assertThat(row.calls()).isPositive();
                assertThat(row.busyNanos() + row.idleNanos())
                        .isEqualTo(row.op() ? row.busyNanos() : row.threads() * (row.wallNanos() + row.barrierNanos()));
            }
            NativeProfile.watch(engine, false);
            engine.trim();
            assertThat(engine.info().memoryBytes()).isEqualTo(before);
        }
    }

    @Test
    void mistakesAreExceptions() {
        try (NativeModel model = NativeModel.load(TINY, 1, null)) {
            NativeEngine engine = NativeEngine.create(model, NativeEngineOptions.of(c -> {}));
            assertThatThrownBy(() -> NativeProfile.read(engine))
                    .isInstanceOfSatisfying(
                            NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.INVALID_ARGUMENT))
                    .hasMessageContaining("profile is off");
            NativeProfile.watch(engine, true);
            engine.close();
            assertThatThrownBy(() -> NativeProfile.read(engine)).isInstanceOf(NativeClosedException.class);
            assertThatThrownBy(() -> NativeProfile.watch(engine, false)).isInstanceOf(NativeClosedException.class);
        }
    }

    @Test
    void ceilingsAreMeasured() {
        NativeCeilings found = NativeCeilings.measure(1);
        assertThat(found.threads()).isEqualTo(1);
        assertThat(found.reads()).isGreaterThan(1e7);
        assertThat(found.products()).isNotNegative();
        assertThatThrownBy(() -> NativeCeilings.measure(257)).hasMessageContaining("threads is 257");
    }
}
