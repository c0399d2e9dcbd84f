// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A model at an address of its own, on a server of the loopback interface. */
@Timeout(60)
class WebFetchTest {
    @TempDir
    Path home;

    private LoopbackHub hub;

    @BeforeEach
    void start() throws IOException {
        hub = new LoopbackHub();
        hub.content = model(1);
    }

    @AfterEach
    void stop() throws IOException {
        hub.close();
    }

    private static byte[] model(long seed) {
        byte[] bytes = LoopbackHub.random(3_000_000, seed);
        System.arraycopy("GGUF".getBytes(StandardCharsets.US_ASCII), 0, bytes, 0, 4);
        return bytes;
    }

    private ModelStore store() {
        return Stores.builder(home, hub.uri(), "HF_TOKEN", "hf_secret").build();
    }

    private ModelReference reference(String end) {
        return ModelReference.parse(hub.bytes.uri() + "/models/tiny.gguf?version=1" + end);
    }

    @Test
    void fetchesVerifiesListsAndRemoves() {
        ModelStore store = store();
        assertThat(store.describe(reference("")).size()).hasValue(hub.content.length);
        Path file = store.fetch(reference(""));
        assertThat(file).hasBinaryContent(hub.content).hasParentRaw(home.resolve("store"));
        assertThat(file.getFileName()).hasToString("tiny-" + hub.sha256().substring(0, 12) + ".gguf");
        int asked = hub.bytes.requests.size();
        assertThat(store.fetch(reference(""))).isEqualTo(file);
        assertThat(store.describe(reference("")).path()).contains(file);
        assertThat(hub.bytes.requests)
                .hasSize(asked)
                .allSatisfy(r -> assertThat(r.header("authorization")).isEmpty());
        assertThat(store.list()).singleElement().satisfies(m -> {
            assertThat(m.reference()).isEqualTo(reference(""));
            assertThat(m.sha256()).isEqualTo(hub.sha256());
        });
        assertThat(store.remove(reference(""))).isTrue();
        assertThat(file).doesNotExist();
    }

    @Test
    void aBrokenDownloadIsContinued() {
        hub.breaks.set(2);
        assertThat(store().fetch(reference(""))).hasBinaryContent(hub.content);
        assertThat(hub.bytes.requests.getLast().header("range")).startsWith("bytes=2");
        assertThat(hub.bytes.requests.getLast().header("if-range")).isEqualTo("\"one\"");
    }

    @Test
    void otherBytesThanTheReferencesAreRefused() {
        ModelStore store = store();
        assertThatExceptionOfType(DownloadException.class)
                .isThrownBy(() -> store.fetch(reference("#sha256=" + "0".repeat(64))))
                .withMessageContaining("SHA-256 " + hub.sha256() + " instead of 0000");
        assertThat(store.list()).isEmpty();
        assertThat(store.fetch(reference("#sha256=" + hub.sha256()))).hasBinaryContent(hub.content);
    }

    @Test
    void aPageForPeopleIsNoModel() {
        hub.content = "<html>log in</html>".getBytes(StandardCharsets.UTF_8);
        ModelStore store = store();
        assertThatExceptionOfType(DownloadException.class)
                .isThrownBy(() -> store.fetch(reference("")))
                .withMessageContaining("no GGUF file");
        hub.content = model(2);
        assertThat(store.fetch(reference(""))).hasBinaryContent(hub.content);
    }

    @Test
    void refusalsAreSentences() throws IOException {
        var statuses = new CopyOnWriteArrayList<Integer>();
        try (LoopbackServer server =
                new LoopbackServer((_, out) -> LoopbackServer.text(out, statuses.getFirst(), Map.of(), "no"))) {
            ModelReference reference = ModelReference.parse(server.uri() + "/a.gguf");
            statuses.add(0, 404);
            assertThatExceptionOfType(ModelNotFoundException.class)
                    .isThrownBy(() -> store().fetch(reference))
                    .withMessageContaining("127.0.0.1 has no /a.gguf");
            statuses.add(0, 401);
            assertThatExceptionOfType(DownloadException.class)
                    .isThrownBy(() -> store().fetch(reference))
                    .withMessageContaining("refuses /a.gguf (401)");
            statuses.add(0, 500);
            assertThatExceptionOfType(DownloadException.class)
                    .isThrownBy(() -> store().fetch(reference))
                    .withMessageContaining("500");
        }
        assertThatExceptionOfType(DownloadException.class)
                .isThrownBy(() ->
                        Stores.builder(home, hub.uri()).offline(true).build().fetch(reference("")))
                .withMessageContaining("is not on this machine");
    }

    @Test
    void aServerWithoutHeadIsAskedForTheBytesAtOnce() throws IOException {
        byte[] bytes = model(3);
        try (LoopbackServer server = new LoopbackServer((request, out) -> {
            if (request.method().equals("HEAD")) {
                LoopbackServer.text(out, 405, Map.of(), "no");
            } else {
                LoopbackServer.head(out, 200, Map.of("Content-Length", Integer.toString(bytes.length)));
                out.write(bytes);
            }
        })) {
            assertThat(store().fetch(ModelReference.parse(server.uri() + "/a.gguf")))
                    .hasBinaryContent(bytes);
        }
    }
}
