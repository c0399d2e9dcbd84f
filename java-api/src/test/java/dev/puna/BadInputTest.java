// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.puna.store.ModelStore;
import dev.puna.testing.Altered;
import dev.puna.testing.Models;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong gets a sentence of its own that names it, and the process goes on. */
@Timeout(60)
class BadInputTest {
    @TempDir
    Path folder;

    @AfterEach
    void theProcessGoesOn() {
        assertThat(Models.tiny()
                        .chat(List.of(Message.user("Hello")))
                        .sampler(Sampler.greedy())
                        .text())
                .isEqualTo(Models.answer("Hello"));
    }

    private static void refused(Runnable call, Class<? extends RuntimeException> type, String... words) {
        Throwable thrown = catchThrowable(call::run);
        assertThat(thrown).isExactlyInstanceOf(type);
        assertThat(thrown.getMessage()).contains(words).doesNotContain("\n").hasSizeBetween(15, 600);
    }

    private static void loading(Path file, Class<? extends RuntimeException> type, String... words) {
        refused(() -> Model.load(file).close(), type, words);
    }

    @Test
    void anUnknownArchitecture() throws IOException {
        Path file = Altered.string(Models.TINY, folder.resolve("a.gguf"), "general.architecture", "rwkv7");
        loading(file, UnsupportedModelException.class, "rwkv7", "llama", "t5");
    }

    @Test
    void anUnknownTokenizer() throws IOException {
        Path file = Altered.string(Models.TINY, folder.resolve("t.gguf"), "tokenizer.ggml.model", "abcd");
        loading(file, UnsupportedModelException.class, "abcd", "gpt2");
    }

    @Test
    void anUnknownPreTokenizer() throws IOException {
        Path file = Altered.string(Models.TINY, folder.resolve("p.gguf"), "tokenizer.ggml.pre", "unheard");
        loading(file, UnsupportedModelException.class, "unheard", "smollm");
    }

    @Test
    void anUnknownTensorType() throws IOException {
        loading(
                Altered.tensorType(Models.TINY, folder.resolve("y.gguf"), "blk.0.attn_q.weight", 24),
                UnsupportedModelException.class,
                "attn_q.weight",
                "I8");
        loading(
                Altered.tensorType(Models.TINY, folder.resolve("z.gguf"), "blk.0.attn_q.weight", 12345),
                UnsupportedModelException.class,
                "attn_q.weight",
                "12345");
    }

    @Test
    void aMissingFile() {
        Path file = folder.resolve("none.gguf");
        loading(file, ModelNotFoundException.class, file.toString());
    }

    @Test
    void anEmptyFile() throws IOException {
        Path file = Files.createFile(folder.resolve("empty.gguf"));
        loading(file, InvalidModelException.class, file.toString(), "empty");
    }

    @Test
    void aTextFile() throws IOException {
        Path file = Files.writeString(folder.resolve("text.gguf"), "This is a text, not a model. ".repeat(10));
        loading(file, InvalidModelException.class, file.toString(), "GGUF");
    }

    @Test
    void aTruncatedFile() throws IOException {
        byte[] whole = Files.readAllBytes(Models.TINY);
        for (int length : List.of(3, 20, 1000, whole.length / 3, whole.length - 1)) {
            Path file = Files.write(folder.resolve("cut" + length + ".gguf"), Arrays.copyOf(whole, length));
            loading(file, InvalidModelException.class, file.toString());
        }
    }

    @Test
    void aDirectory() {
        refused(() -> Model.load(folder).close(), ModelNotFoundException.class, folder.toString(), "folder");
    }

    @Test
    void aContextLargerThanMemory() {
        Model model = Models.smollm2();
        refused(
                () -> model.newContext(o -> o.contextLength(1 << 30)).close(),
                InsufficientMemoryException.class,
                "1073741824");
        Throwable thrown =
                catchThrowable(() -> model.newContext(o -> o.cacheBudget(1000)).close());
        assertThat(thrown).isInstanceOfSatisfying(InsufficientMemoryException.class, e -> {
            assertThat(e.needed()).isGreaterThan(1000);
            assertThat(e.available()).isEqualTo(1000);
        });
        assertThat(model.prompt("Once").maxTokens(1).reply().tokens()).hasSize(1);
    }

    @Test
    void anEmptyPrompt() {
        refused(() -> Models.tiny().prompt(""), IllegalArgumentException.class, "the prompt is empty");
        refused(() -> Models.tiny().prompt(new int[0]), IllegalArgumentException.class, "the prompt is empty");
    }

    @Test
    void aPromptLongerThanTheContext() {
        Throwable thrown = catchThrowable(
                () -> Models.tiny().prompt("again and ".repeat(2000)).text());
        assertThat(thrown).isInstanceOfSatisfying(ContextFullException.class, e -> {
            assertThat(e.getMessage()).contains("2048", "shorten");
            assertThat(e.needed()).isGreaterThan(2048);
            assertThat(e.available()).isEqualTo(2048);
        });
    }

    @Test
    void aTemperatureThatIsNoNumber() {
        refused(() -> Sampler.temperature(Float.NaN), IllegalArgumentException.class, "temperature is NaN");
    }

    @Test
    void anEmptyStopString() {
        refused(
                () -> Models.tiny().prompt("a").stop("x", ""),
                IllegalArgumentException.class,
                "a stop string is empty");
    }

    @Test
    void aTemplateThatRefusesTheMessages() throws IOException {
        String template = "{% if messages|length > 1 %}\n{{ raise_exception('one message only') }}{% endif %}a";
        Path file = Altered.template(Models.TINY, folder.resolve("refuses.gguf"), template);
        try (Model model = Model.load(file)) {
            List<Message> two = List.of(Message.user("a"), Message.assistant("b"));
            Throwable thrown = catchThrowable(() -> model.chat(two).text());
            assertThat(thrown).isInstanceOfSatisfying(TemplateException.class, e -> {
                assertThat(e.reason()).isEqualTo("one message only");
                assertThat(e.line()).isEqualTo(2);
            });
        }
    }

    @Test
    void aStoreThatCannotBeWritten() throws IOException {
        Path blocked = Files.writeString(folder.resolve("file"), "no folder"); // not even root writes below a file
        ModelStore store = ModelStore.builder()
                .folder(blocked.resolve("store"))
                .endpoint(nobodyListens())
                .build();
        refused(
                () -> Model.builder("owner/repo:Q8_0").store(store).load().close(),
                DownloadException.class,
                blocked.toString());
    }

    /** Without a network that is there to be used: HubFetchTest. */
    @Test
    void noNetworkWanted() {
        ModelStore store = ModelStore.builder()
                .folder(folder.resolve("store"))
                .offline(true)
                .build();
        refused(
                () -> Model.builder("owner/repo:Q8_0").store(store).load().close(),
                DownloadException.class,
                "owner/repo",
                "offline");
    }

    private static URI nobodyListens() {
        return URI.create("http://127.0.0.1:9/");
    }

    @Test
    void aReferenceThatNamesNothing() {
        refused(
                () -> Model.load("no-such-name-in-the-catalogue").close(),
                ModelNotFoundException.class,
                "no-such-name");
    }
}
