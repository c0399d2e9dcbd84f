// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where a context's time goes. */
@Timeout(120)
class ProfileTest {
    private static Context context() {
        return Models.tiny()
                .newContext(o -> o.maxSequences(2).contextLength(256).threads(2));
    }

    private static String ask(Context context) {
        return context.prompt(new int[] {5, 6, 7})
                .sampler(Sampler.greedy())
                .ignoreEnd()
                .maxTokens(30)
                .text();
    }

    private static void checkSums(Profile profile) {
        Duration together = Duration.ZERO;
        for (Profile.Work phase : profile.phases()) {
            assertThat(phase.calls()).isPositive();
            assertThat(phase.threads()).isEqualTo(profile.threads());
            assertThat(phase.idleShare()).isBetween(0.0, 1.0);
            assertThat(phase.busy().plus(phase.idle()))
                    .isEqualTo(phase.wall().plus(phase.barrier()).multipliedBy(phase.threads()));
            together = together.plus(phase.wall()).plus(phase.barrier());
        }
        assertThat(together).isPositive().isLessThanOrEqualTo(profile.computing());
        assertThat(profile.computing()).isLessThanOrEqualTo(profile.engine());
        assertThat(profile.engine()).isLessThanOrEqualTo(profile.elapsed());
        for (Profile.Work op : profile.ops()) {
            assertThat(op.calls()).isPositive();
            assertThat(op.wall()).isZero();
            assertThat(op.idleShare()).isZero();
        }
    }

    @Test
    void tellsWhereTheTimeWent() {
        try (Context context = context()) {
            String quiet = ask(context);
            try (Profiler profiler = context.profile()) {
                assertThat(ask(context)).isEqualTo(quiet);
                Profile profile = profiler.read();
                checkSums(profile);
                assertThat(profile.generatedTokens()).isEqualTo(30);
                assertThat(profile.promptTokens()).isEqualTo(3);
                assertThat(profile.steps()).isEqualTo(profile.batches()).isEqualTo(30);
                assertThat(profile.phases())
                        .allMatch(phase -> phase.part() == Profile.Part.MODEL)
                        .anyMatch(phase -> phase.name().startsWith("linear ") && phase.products() > 0)
                        .anyMatch(phase -> phase.name().equals("attend") && phase.bytes() > 0);
                assertThat(profile.ops()).extracting(Profile.Work::name).contains("linear", "attend", "rms_norm");
                assertThat(profile.toString()).contains("phases", "30 batches");
                profiler.restart();
                assertThat(profiler.read().phases()).isEmpty();
                assertThat(profiler.read().steps()).isZero();
                ask(context);
                assertThat(profiler.read().generatedTokens()).isEqualTo(30);
                assertThat(profile.generatedTokens()).isEqualTo(30); // stays what it was
            }
        }
    }

    @Test
    void givesItsMemoryBack() {
        try (Context context = context()) {
            long before = context.status().memoryBytes();
            try (Profiler profiler = context.profile()) {
                assertThat(context.status().memoryBytes()).isGreaterThan(before + 1000);
                assertThat(profiler.read().phases()).isEmpty();
            }
            assertThat(context.status().memoryBytes()).isEqualTo(before);
        }
    }

    @Test
    void beginsAndEndsWhileRequestsRun() {
        try (Context context = context();
                TextStream endless =
                        context.prompt(new int[] {1, 2, 3}).ignoreEnd().contextShift(4).maxTokens(1_000_000).stream()) {
            Thread reader = Thread.startVirtualThread(() -> endless.forEach(piece -> {}));
            for (int i = 0; i < 10; i++) {
                try (Profiler profiler = context.profile()) {
                    Eventually.holds("some steps", () -> profiler.read().steps() > 2);
                    checkSums(profiler.read());
                }
            }
            endless.cancel();
            Eventually.holds("its end", () -> !reader.isAlive());
        }
    }

    @Test
    void oneAtATime() {
        try (Context context = context()) {
            Profiler first = context.profile();
            assertThatThrownBy(context::profile)
                    .isInstanceOf(BusyException.class)
                    .hasMessageContaining("profiled");
            first.close();
            first.close();
            assertThatThrownBy(first::read).isInstanceOf(ClosedException.class);
            assertThatThrownBy(first::restart).isInstanceOf(ClosedException.class);
            try (Profiler second = context.profile()) {
                first.close(); // not the other one
                assertThat(second.read().steps()).isZero();
            }
        }
    }

    @Test
    void aClosedContextHasNone() {
        Context context = context();
        Profiler profiler = context.profile();
        context.close();
        assertThatThrownBy(profiler::read).isInstanceOf(ClosedException.class);
        assertThatThrownBy(profiler::restart).isInstanceOf(ClosedException.class);
        profiler.close();
        assertThatThrownBy(context::profile).isInstanceOf(ClosedException.class);
    }

    @Test
    void encodersAndTextToTextHaveTheirParts() {
        try (Model bert = Model.load(Models.DATA.resolve("encoders/bert.gguf"));
                Profiler profiler = bert.profile()) {
            bert.embed(List.of("a b", "x y")).vectors();
            checkSums(profiler.read());
            assertThat(profiler.read().phases()).isNotEmpty().allMatch(work -> work.part() == Profile.Part.MODEL);
        }
        try (Model t5 = Model.load(Models.DATA.resolve("text_to_text/t5_gated.gguf"));
                Profiler profiler = t5.profile()) {
            t5.prompt(new int[] {40, 50, 60, 1}).ignoreEnd().maxTokens(4).text();
            checkSums(profiler.read());
            assertThat(profiler.read().phases())
                    .extracting(Profile.Work::part)
                    .contains(Profile.Part.MODEL, Profile.Part.SOURCE);
        }
        try (Context context = context();
                Profiler profiler = context.profile()) {
            context.embed("the ferry").vector();
            checkSums(profiler.read());
            assertThat(profiler.read().phases()).isNotEmpty().allMatch(work -> work.part() == Profile.Part.STATES);
        }
    }

    @Test
    void ceilingsAreMeasured() {
        Ceilings found = Machine.ceilings(1);
        assertThat(found.threads()).isEqualTo(1);
        assertThat(found.bytesPerSecond()).isGreaterThan(1e7);
        assertThat(found.productsPerSecond()).isNotNegative();
        assertThatThrownBy(() -> Machine.ceilings(257)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Machine.ceilings(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("threads is -1");
    }
}
