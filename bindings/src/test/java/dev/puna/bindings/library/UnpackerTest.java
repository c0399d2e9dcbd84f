// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnpackerTest {
    private final List<String> notes = new ArrayList<>();

    @TempDir
    Path temporary;

    private URL artifact(String content) throws IOException {
        return Files.writeString(Files.createTempFile(temporary, "artifact", ".bin"), content)
                .toUri()
                .toURL();
    }

    private Path unpack(URL library, Path... folders) {
        return new Unpacker(List.of(folders), "libx.so").unpack(library, (path, note) -> path, notes::add);
    }

    private static List<Path> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .filter(f -> !f.endsWith(".lock"))
                    .toList();
        }
    }

    @Test
    void isWrittenOnceForEachContent() throws IOException {
        Path cache = temporary.resolve("cache");
        Path first = unpack(artifact("one"), cache);
        Path second = unpack(artifact("two"), cache);
        var time = Files.getLastModifiedTime(first);
        assertThat(unpack(artifact("one"), cache))
                .isEqualTo(first)
                .hasContent("one")
                .hasFileName("libx.so");
        assertThat(Files.getLastModifiedTime(first)).isEqualTo(time);
        assertThat(second).isNotEqualTo(first).hasContent("two");
        assertThat(filesIn(cache)).containsExactlyInAnyOrder(first, second);
        assertThat(notes).isEmpty();
    }

    @Test
    void aDamagedFileIsReplaced() throws IOException {
        Path cache = temporary.resolve("cache");
        Path file = unpack(artifact("right"), cache);
        Files.writeString(file, "wrong");
        assertThat(unpack(artifact("right"), cache)).isEqualTo(file).hasContent("right");
    }

    @Test
    void aFolderThatCannotBeWrittenIsPassedOver() throws IOException {
        Path blocked = Files.writeString(temporary.resolve("file"), "in the way");
        Path cache = temporary.resolve("cache");
        assertThat(unpack(artifact("x"), blocked, cache)).startsWith(cache);
        assertThat(notes).hasSize(1).first().asString().contains(blocked.toString());
    }

    @Test
    void aFolderWhoseFilesCannotBeOpenedIsPassedOver() throws IOException {
        Path noexec = temporary.resolve("noexec");
        Path cache = temporary.resolve("cache");
        Path opened = new Unpacker(List.of(noexec, cache), "libx.so")
                .unpack(
                        artifact("x"),
                        (path, note) -> {
                            if (path.startsWith(noexec)) {
                                note.accept(path + ": operation not permitted");
                                return null;
                            }
                            return path;
                        },
                        notes::add);
        assertThat(opened).startsWith(cache);
        assertThat(notes).hasSize(1);
    }

    @Test
    void theLastPlaceIsATemporaryFolderThatIsCleanedUp() throws IOException {
        Path blocked = Files.writeString(temporary.resolve("file"), "in the way");
        List<String> contents = new ArrayList<>();
        Path opened = new Unpacker(List.of(blocked), "libx.so")
                .unpack(
                        artifact("x"),
                        (path, note) -> {
                            try {
                                contents.add(Files.readString(path));
                            } catch (IOException e) {
                                note.accept(e.toString());
                            }
                            return path;
                        },
                        notes::add);
        assertThat(contents).containsExactly("x");
        assertThat(opened).isNotNull().doesNotExist();
        assertThat(opened.getParent()).doesNotExist();
    }

    @Test
    void manyAtOnceGetOneCompleteFile() throws Exception {
        Path cache = temporary.resolve("cache");
        URL library = artifact("x".repeat(3_000_000));
        Callable<Path> task = () -> new Unpacker(List.of(cache), "libx.so")
                .unpack(library, (path, note) -> path.toFile().length() == 3_000_000 ? path : null, note -> {});
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (Future<Path> found : threads.invokeAll(Collections.nCopies(24, task))) {
                assertThat(found.get()).isNotNull().startsWith(cache);
            }
        }
        assertThat(filesIn(cache)).hasSize(1);
    }

    @Test
    void anArtifactThatCannotBeReadIsNoted() throws IOException {
        URL gone = temporary.resolve("gone").toUri().toURL();
        assertThat(unpack(gone, temporary.resolve("cache"))).isNull();
        assertThat(notes).hasSize(1).first().asString().contains("gone");
    }
}
