// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A model in a jar of the application, or in a folder of its class path. */
@Timeout(60)
class ResourceFetchTest {
    private static final ModelReference TINY = ModelReference.parse("classpath:my-models/tiny.gguf");

    @TempDir
    Path home;

    private ModelStore store() {
        return Stores.builder(home, URI.create("http://127.0.0.1:1"))
                .offline(true)
                .build();
    }

    private static byte[] model(long seed) {
        byte[] bytes = LoopbackHub.random(300_000, seed);
        System.arraycopy("GGUF".getBytes(StandardCharsets.US_ASCII), 0, bytes, 0, 4);
        return bytes;
    }

    private Path jar(String name, byte[] bytes) throws IOException {
        Path jar = home.resolve(name);
        try (OutputStream out = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.putNextEntry(new ZipEntry("my-models/tiny.gguf"));
            zip.write(bytes);
            zip.closeEntry();
        }
        return jar;
    }

    /** Does something where a class path of this jar or folder is the application's. */
    private static <T> T with(Path classPath, Supplier<T> work) throws IOException {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {classPath.toUri().toURL()})) {
            thread.setContextClassLoader(loader);
            return work.get();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private List<Path> models() throws IOException {
        try (Stream<Path> files = Files.list(home.resolve("store"))) {
            return files.filter(f -> f.toString().endsWith(".gguf")).toList();
        }
    }

    @Test
    void aJarsBytesAreCopiedOnce() throws IOException {
        byte[] bytes = model(1);
        Path jar = jar("one.jar", bytes);
        ModelStore store = store();
        assertThat(with(jar, () -> store.resolve(TINY))).isEmpty();
        assertThat(with(jar, () -> store.describe(TINY).size())).hasValue(bytes.length);
        Path file = with(jar, () -> store.fetch(TINY));
        assertThat(file).hasBinaryContent(bytes).hasParentRaw(home.resolve("store"));
        var time = Files.getLastModifiedTime(file);
        assertThat(with(jar, () -> store().fetch(TINY))).isEqualTo(file);
        assertThat(with(jar, () -> store().resolve(TINY))).contains(file);
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(time);
        assertThat(store.list())
                .singleElement()
                .satisfies(m -> assertThat(m.reference()).isEqualTo(TINY));
        assertThat(store.remove(TINY)).isTrue();
        assertThat(file).doesNotExist();
    }

    @Test
    void anotherVersionsBytesTakeTheOldOnesPlace() throws IOException {
        ModelStore store = store();
        Path old = with(jar("one.jar", model(1)), () -> store.fetch(TINY));
        Path second = jar("two.jar", model(2));
        assertThat(with(second, () -> store.resolve(TINY))).isEmpty();
        Path file = with(second, () -> store.fetch(TINY));
        assertThat(file).hasBinaryContent(model(2)).isNotEqualTo(old);
        assertThat(models()).containsExactly(file);
    }

    @Test
    void aPlainFileIsUsedWhereItLies() throws IOException {
        Path file = home.resolve("classes/my-models/tiny.gguf");
        Files.createDirectories(file.getParent());
        Files.write(file, model(1));
        ModelStore store = store();
        assertThat(with(home.resolve("classes"), () -> store.fetch(TINY))).isEqualTo(file);
        assertThat(store.folder()).doesNotExist();
    }

    @Test
    void refusalsAreSentences() throws IOException {
        ModelStore store = store();
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> store.fetch(TINY))
                .withMessageContaining("no resource my-models/tiny.gguf");
        assertThatExceptionOfType(ModelNotFoundException.class).isThrownBy(() -> store.describe(TINY));
        Path jar = jar("text.jar", "no model".getBytes(StandardCharsets.UTF_8));
        assertThatExceptionOfType(DownloadException.class)
                .isThrownBy(() -> with(jar, () -> store.fetch(TINY)))
                .withMessageContaining("no GGUF file");
        assertThat(models()).isEmpty();
    }
}
