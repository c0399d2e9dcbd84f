// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DeviceTest {
    @Test
    void theProcessorIsTheOneDevice() {
        Device cpu = Device.cpu();
        assertThat(Device.all()).containsExactly(cpu);
        assertThat(Device.best()).isEqualTo(cpu).hasSameHashCodeAs(cpu);
        assertThat(Device.named("cpu")).isEqualTo(cpu);
        assertThat(cpu.name()).isEqualTo("cpu");
        assertThat(cpu.memory()).isPositive();
        assertThat(cpu.freeMemory()).isBetween(1L, cpu.memory());
        assertThat(cpu.tiers()).startsWith("ref").contains(cpu.tier());
        assertThat(cpu).hasToString("cpu (" + Machine.current() + ")");
    }

    @Test
    void anAbsentOneIsASentence() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Device.named("cuda"))
                .withMessage("this machine has no device 'cuda'; it has cpu");
    }

    @Test
    void aModelTellsWhatItComputesOn() {
        Path tiny = Path.of("../native/tests/data/tiny/tiny-chat.gguf");
        try (Model model = Model.builder(tiny).device(Device.best()).load()) {
            assertThat(model.device()).isEqualTo(Device.cpu());
        }
        try (Model model = Model.load(tiny)) {
            assertThat(model.device()).isEqualTo(Device.best());
        }
    }
}
