// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.testing.Models;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

class MachineTest {
    @Test
    void theLibraryAndItsKernels() {
        Machine machine = Machine.current();
        assertThat(Files.isRegularFile(machine.libraryFile())).isTrue();
        assertThat(machine.libraryAbi()).isEqualTo(1);
        assertThat(machine.libraryBuild()).containsPattern("(gcc|clang) \\d+.*, linux (x86_64|aarch64)");
        assertThat(machine.processor()).isEqualTo(machine.processor().strip());
        machine.processorQuota().ifPresent(quota -> assertThat(quota).isPositive());
        List<Kernel> kernels = Machine.kernels();
        assertThat(kernels.stream().map(Kernel::tier).distinct()).containsExactlyElementsOf(machine.tiers());
        assertThat(kernels)
                .doesNotHaveDuplicates()
                .allSatisfy(kernel -> assertThat(kernel.test()).isEmpty());
        assertThat(kernels.getFirst()).hasToString("ref product_f32");
    }

    @Test
    void aClosedModelGivesAllBackAtOnce() {
        long before = Machine.nativeMemory();
        Model model = Model.load(Models.TINY);
        String answer = model.prompt("x").grammar("root ::= \"yes\" | \"no\"").text();
        assertThat(answer).isIn("yes", "no");
        assertThat(Machine.nativeMemory())
                .isGreaterThanOrEqualTo(
                        before + model.info().memoryBytes() + model.status().memoryBytes());
        model.close();
        assertThat(Machine.nativeMemory()).isLessThanOrEqualTo(before); // less: what others forgot may go meanwhile
    }
}
