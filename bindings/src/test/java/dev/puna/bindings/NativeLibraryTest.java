// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.bindings.gen.PunaH;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    @TempDir
    Path temporary;

    @Test
    void describesTheProcessor() {
        NativeCpu cpu = NativeLibrary.cpu();
        assertThat(cpu.threads()).isPositive();
        assertThat(cpu.cores()).isBetween(1, cpu.threads());
        assertThat(cpu.defaultThreads()).isBetween(1, cpu.threads());
        assertThat(cpu.memory()).isGreaterThan(1 << 20);
        assertThat(cpu.memoryFree()).isBetween(1L, cpu.memory());
        assertThat(cpu.tiers()).contains("ref", cpu.tier());
    }

    @Test
    void saysItsVersionAndPlace() {
        assertThat(NativeLibrary.version()).matches("\\d+\\.\\d+\\.\\d+.*");
        assertThat(NativeLibrary.arithmeticVersion()).isEqualTo(1);
        assertThat(NativeLibrary.file()).isRegularFile();
        assertThat(NativeLibrary.origin()).isEqualTo("build tree");
    }

    @Test
    void theLibraryHasEveryBoundFunction() throws ReflectiveOperationException {
        NativeLibrary.load();
        int functions = 0;
        for (Method method : PunaH.class.getMethods()) {
            if (method.getName().endsWith("$address")) {
                assertThat(method.invoke(null)).as(method.getName()).isNotNull();
                functions++;
            }
        }
        assertThat(functions).isGreaterThan(40);
    }

    @Test
    void anotherLibraryIsRefused() {
        NativeLibrary.load();
        assertThatThrownBy(() -> NativeLibrary.load(temporary.resolve("other.so")))
                .isInstanceOf(NativeLoadException.class)
                .hasMessageContaining("in use already");
    }

    @Test
    void aMissingFileIsOneSentence() {
        Path missing = temporary.resolve("no such file \u00e4\u4e2d.gguf");
        assertThatThrownBy(() -> NativeFile.open(missing)).isInstanceOfSatisfying(NativeException.class, e -> {
            assertThat(e.status()).isEqualTo(NativeStatus.NOT_FOUND);
            assertThat(e.subject() + e.getMessage()).contains("no such file \u00e4\u4e2d.gguf");
        });
    }

    @Test
    void aTextIsNoModel() throws IOException {
        Path text = Files.writeString(
                temporary.resolve("text.gguf"), "not a model, but long enough to be read as a header");
        assertThatThrownBy(() -> NativeFile.open(text))
                .isInstanceOfSatisfying(
                        NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.INVALID_FILE));
        assertThatThrownBy(() -> NativeModel.load(text, 0, null)).isInstanceOf(NativeException.class);
    }

    @Test
    void aTaskIsCancelledAndClosed() throws IOException {
        Path text = Files.writeString(temporary.resolve("text.gguf"), "x");
        NativeTask task = NativeTask.create();
        assertThat(task.progress()).isEqualTo(new NativeTask.Progress(0, 0));
        task.cancel();
        assertThatThrownBy(() -> NativeModel.load(text, 0, task)).isInstanceOf(NativeException.class);
        task.close();
        task.close();
        assertThat(task.isClosed()).isTrue();
        assertThatThrownBy(task::progress)
                .isInstanceOf(NativeClosedException.class)
                .hasMessage("the task is closed");
        assertThatThrownBy(() -> NativeModel.load(text, 0, task)).isInstanceOf(NativeClosedException.class);
    }

    @Test
    void readsAFileThroughItsWholeInterface() throws IOException {
        Path path = Files.write(temporary.resolve("small \u00e4.gguf"), SmallGguf.bytes());
        NativeFile file = NativeFile.open(path);
        assertThat(file.size()).isEqualTo(Files.size(path));
        assertThat(file.version()).isEqualTo(3);
        assertThat(file.metadataCount()).isEqualTo(4);
        assertThat(file.tensorCount()).isEqualTo(1);
        assertThat(file.find("nothing")).isEqualTo(-1);
        assertThat(file.string(file.find("general.name"), 0)).isEqualTo("d\u00e9j\u00e0");
        assertThat(file.integer(file.find("a.count"), 0)).isEqualTo(7);
        assertThat(file.real(file.find("a.real"), 0)).isEqualTo(0.5);
        long words = file.find("a.words");
        assertThat(file.metadata(words))
                .isEqualTo(new NativeFile.Metadata("a.words", NativeFile.Type.ARRAY, NativeFile.Type.STRING, 2));
        assertThat(file.string(words, 1)).isEqualTo("two");
        assertThatThrownBy(() -> file.string(words, 2))
                .isInstanceOfSatisfying(
                        NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.INVALID_ARGUMENT));
        NativeFile.Tensor tensor = file.tensor(0);
        assertThat(tensor.name()).isEqualTo("t");
        assertThat(tensor.type()).isEqualTo("F32");
        assertThat(tensor.shape()).containsExactly(2L, 3L);
        assertThat(tensor.bytes()).isEqualTo(24);
        file.close();
        file.close();
        assertThatThrownBy(file::size).isInstanceOf(NativeClosedException.class);
    }
}
