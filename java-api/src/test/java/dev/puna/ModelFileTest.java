// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.testing.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Looking into a file without loading it. */
class ModelFileTest {
    @TempDir
    Path folder;

    private static ModelFile.Entry entry(ModelFile file, String key) {
        return file.metadata().stream()
                .filter(entry -> entry.key().equals(key))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void saysWhatTheModelSays() throws IOException {
        ModelInfo info = Models.tiny().info();
        try (ModelFile file = ModelFile.open(Models.TINY)) {
            assertThat(file.size()).isEqualTo(Files.size(Models.TINY)).isEqualTo(info.fileBytes());
            assertThat(file.version()).isEqualTo(3);
            assertThat(entry(file, "general.architecture").value(0)).isEqualTo(info.architecture());
            assertThat(entry(file, "llama.block_count").value(0)).isEqualTo((long) info.layers());
            ModelFile.Entry tokens = entry(file, "tokenizer.ggml.tokens");
            assertThat(tokens.type()).isEqualTo(ModelFile.Type.ARRAY);
            assertThat(tokens.elementType()).isEqualTo(ModelFile.Type.STRING);
            assertThat(tokens.count()).isEqualTo(info.vocabulary());
            assertThat(tokens.value(2)).isEqualTo(Models.tiny().tokenizer().spelling(2));
            List<ModelFile.Tensor> tensors = file.tensors();
            assertThat(tensors.stream().mapToLong(ModelFile.Tensor::elements).sum())
                    .isEqualTo(info.parameters());
            assertThat(tensors)
                    .allSatisfy(tensor ->
                            assertThat(tensor.offset() + tensor.bytes()).isLessThanOrEqualTo(file.size()));
        }
    }

    @Test
    void plansAndTokenizesWithoutTheModel() {
        try (ModelFile file = ModelFile.open(Models.TINY)) {
            assertThat(file.tokenizer().encode("Hello"))
                    .isEqualTo(Models.tiny().tokenizer().encode("Hello"));
            MemoryPlan plan = file.plan(options -> options.contextLength(128));
            assertThat(plan.contextLength()).isEqualTo(128);
            assertThat(plan.total()).isEqualTo(plan.base() + plan.cache() + plan.sequences());
        }
    }

    @Test
    void closedIsClosed() {
        ModelFile file = ModelFile.open(Models.TINY);
        Tokenizer tokenizer = file.tokenizer();
        ModelFile.Entry entry = file.metadata().getFirst();
        file.close();
        file.close();
        assertThatExceptionOfType(ClosedException.class).isThrownBy(file::tensors);
        assertThatExceptionOfType(ClosedException.class).isThrownBy(file::tokenizer);
        assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> tokenizer.encode("Hello"));
        assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> entry.value(0));
    }

    @Test
    void whatIsNoFileOfThisKind() throws IOException {
        Path text = Files.writeString(folder.resolve("text.gguf"), "no model");
        assertThatExceptionOfType(InvalidModelException.class).isThrownBy(() -> ModelFile.open(text));
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> ModelFile.open(folder.resolve("nothing.gguf")));
    }

    @Test
    void theMachineIsKnown() {
        Machine machine = Machine.current();
        assertThat(machine.cores()).isPositive();
        assertThat(machine.threads()).isGreaterThanOrEqualTo(machine.cores());
        assertThat(machine.freeMemory()).isPositive().isLessThanOrEqualTo(machine.memory());
        assertThat(machine.tiers()).contains("ref", machine.tier());
        assertThat(machine.libraryVersion()).matches("\\d+\\.\\d+\\.\\d+.*");
        assertThat(machine.arithmeticVersion()).isPositive();
    }
}
