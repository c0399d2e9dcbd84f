// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.puna.internal.ChatFile;
import dev.puna.testing.Models;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Chats that are saved and restored. */
@Timeout(60)
class SavingTest {
    private final Model model = Models.tiny();

    @TempDir
    private Path folder;

    private static Reply say(Chat chat, String text) {
        return chat.user(text)
                .sampler(Sampler.of(Sampler.temperature(1.5f)).seed(5))
                .maxTokens(40)
                .reply();
    }

    private static void same(Reply expected, Reply got) {
        assertThat(got.tokens()).isEqualTo(expected.tokens());
        assertThat(got.text()).isEqualTo(expected.text());
        assertThat(got.usage()).isEqualTo(expected.usage()); // from the cache, too
    }

    private long pages(int count) {
        try (Context context = model.newContext(o -> o.maxSequences(1))) {
            return count * context.status().pageBytes();
        }
    }

    private static void refused(Runnable restoring, String why) {
        assertThatExceptionOfType(PunaException.class)
                .isThrownBy(restoring::run)
                .withMessageContaining(why);
    }

    @Test
    void aRestoredChatGoesOnAsTheSavedOne() throws IOException {
        Path file = folder.resolve("M\u00e4rchen \u4e2d.chat");
        try (Context here = model.newContext(o -> o.maxSequences(2));
                Context there = model.newContext(o -> o.maxSequences(3).stepTokens(16));
                Chat chat = here.newChat(o -> o.system("You are a pirate."))) {
            say(chat, "Hello");
            say(chat, "Say yes.");
            chat.save(file);
            chat.save(file); // replaces
            byte[] bytes = chat.save();
            assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
            Reply expected = say(chat, "Thank you");
            try (Chat fromFile = there.restoreChat(file);
                    Chat fromBytes = model.restoreChat(bytes)) {
                assertThat(fromFile.messages()).isEqualTo(chat.messages().subList(0, 5));
                same(expected, say(fromFile, "Thank you"));
                same(expected, say(fromBytes, "Thank you"));
                assertThat(fromFile.messages()).isEqualTo(chat.messages());
                assertThat(fromFile.tokens()).isEqualTo(chat.tokens());
            }
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).containsExactly(file);
        }
    }

    @Test
    void aRestoredChatForksAndRewindsAndIsSavedAgain() {
        try (Chat chat = model.newChat()) {
            Reply first = say(chat, "Hello");
            int[] afterFirst = chat.tokens();
            Reply second = say(chat, "Say yes.");
            try (Chat restored = model.restoreChat(chat.save());
                    Chat fork = restored.fork();
                    Chat again = model.restoreChat(restored.save())) {
                restored.rewindTurns(1);
                assertThat(restored.tokens()).isEqualTo(afterFirst);
                Reply repeated = say(restored, "Say yes.");
                assertThat(repeated.tokens()).isEqualTo(second.tokens());
                assertThat(repeated.usage().cachedTokens()).isGreaterThanOrEqualTo(afterFirst.length - 1);
                try (Chat third = fork.fork()) { // which shares what was restored
                    Reply thanks = say(third, "Thank you");
                    assertThat(thanks.usage().cachedTokens()).isGreaterThan(afterFirst.length);
                    assertThat(thanks.tokens()).isEqualTo(say(chat, "Thank you").tokens());
                }
                fork.rewindTurns(2);
                assertThat(fork.tokens()).isEmpty();
                assertThat(say(fork, "Hello").tokens()).isEqualTo(first.tokens());
                assertThat(again.again()
                                .sampler(Sampler.of(Sampler.temperature(1.5f)).seed(5))
                                .maxTokens(40)
                                .reply()
                                .tokens())
                        .isEqualTo(second.tokens());
            }
        }
    }

    @Test
    void everyCacheTypeIsSaved() {
        for (CacheType type : CacheType.values()) {
            try (Context context = Models.smollm2()
                            .newContext(
                                    o -> o.maxSequences(1).contextLength(256).cacheType(type));
                    Chat chat = context.newChat()) {
                say(chat, "What is a fugue?");
                byte[] saved = chat.save();
                Reply expected = say(chat, "And a canon?");
                try (Chat restored = context.restoreChat(saved)) {
                    same(expected, say(restored, "And a canon?"));
                }
            }
        }
    }

    @Test
    void anotherCacheTypeOrALostPlaceIsComputedAgain() {
        try (Context small = model.newContext(
                        o -> o.maxSequences(1).contextLength(128).cacheBudget(pages(2)));
                Context other = model.newContext(o -> o.maxSequences(1).cacheType(CacheType.Q8_0));
                Context alike = model.newContext(o -> o.maxSequences(1));
                Chat chat = small.newChat()) {
            say(chat, "Hello");
            byte[] whole = chat.save();
            try (Chat restored = other.restoreChat(whole)) {
                assertThat(restored.messages()).isEqualTo(chat.messages());
                assertThat(say(restored, "Say yes.").usage().cachedTokens()).isZero();
            }
            int[] many = new int[100];
            Arrays.fill(many, model.tokenizer().encode("a")[0]);
            small.prompt(many).maxTokens(1).text(); // takes all pages
            byte[] bare = chat.save();
            assertThat(bare.length).isLessThan(whole.length);
            Reply expected = say(chat, "Say yes.");
            assertThat(expected.usage().cachedTokens()).isZero();
            try (Chat restored = alike.restoreChat(bare)) {
                same(expected, say(restored, "Say yes."));
            }
        }
    }

    @Test
    void allThatWasSaidIsKept() {
        List<Message> before = List.of(
                new Message.User(
                        List.of(Content.text("What is "), Content.text("\"the\" \\ weather\n\u00e9\ud83d\ude00"))),
                new Message.Assistant(
                        List.of(),
                        "I think.",
                        List.of(new ToolCall("1", "weather", Map.of("city", "Seoul", "days", 3L, "exact", true)))),
                Message.toolResult("1", "weather", "rain"),
                Message.assistant("Rain."));
        try (Chat chat = model.newChat(o -> o.system("You are terse.")
                .messages(before)
                .templateVariables(Map.of("thinking", false, "names", List.of("a", Map.of("b", 1.5)), "n", 7L)))) {
            try (Chat restored = model.restoreChat(chat.save())) { // which has never spoken
                assertThat(restored.messages()).isEqualTo(chat.messages());
                assertThat(say(restored, "Hello").tokens())
                        .isEqualTo(say(chat, "Hello").tokens());
            }
            say(chat, "Hello");
            try (Chat restored = model.restoreChat(chat.save())) {
                assertThat(restored.messages()).isEqualTo(chat.messages());
                same(say(chat, "Say yes."), say(restored, "Say yes."));
            }
        }
    }

    @Test
    void whatIsNoJsonIsRefusedAtOnce() {
        Object deep = 1L;
        for (int i = 0; i < 80; i++) {
            deep = List.of(deep);
        }
        for (Object value : new Object[] {Double.NaN, new StringBuilder("x"), deep}) {
            try (Chat chat = model.newChat(o -> o.templateVariables(Map.of("x", value)))) {
                assertThatIllegalArgumentException().isThrownBy(chat::save);
            }
        }
    }

    @Test
    void aChatThatIsAnsweringOrClosedIsNotSaved() {
        try (Context context = Models.smollm2().newContext(o -> o.maxSequences(1));
                Chat chat = context.newChat()) {
            try (TextStream stream = chat.user("Tell me a story.").ignoreEnd().stream()) {
                stream.iterator().next();
                assertThatIllegalStateException().isThrownBy(chat::save).withMessageContaining("still answering");
                assertThatIllegalStateException().isThrownBy(() -> chat.save(folder.resolve("x")));
                stream.cancel();
                stream.reply();
            }
            byte[] saved = chat.save();
            chat.close();
            assertThatExceptionOfType(ClosedException.class).isThrownBy(chat::save);
            context.close();
            assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> context.restoreChat(saved));
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aPlaceThatCantBeWrittenToIsSaid() throws IOException {
        try (Chat chat = model.newChat()) {
            say(chat, "Hello");
            assertThatExceptionOfType(UncheckedIOException.class)
                    .isThrownBy(() -> chat.save(folder.resolve("nowhere/x")))
                    .withMessageContaining("nowhere");
            Files.createDirectories(folder.resolve("taken/by"));
            assertThatExceptionOfType(UncheckedIOException.class).isThrownBy(() -> chat.save(folder.resolve("taken")));
            try (Stream<Path> left = Files.list(folder)) {
                assertThat(left).containsExactly(folder.resolve("taken"));
            }
            refused(() -> model.restoreChat(folder.resolve("missing")), "there is no file");
            refused(() -> model.restoreChat(folder), "can't be read");
        }
    }

    @Test
    void damageIsNoticedWhereverItIs() throws IOException {
        byte[] saved;
        long before;
        try (Context context = model.newContext(o -> o.maxSequences(1))) {
            try (Chat chat = context.newChat()) {
                chat.user("Say yes.").maxTokens(4).text();
                saved = chat.save();
            }
            before = context.status().sequences();
            int text = new String(saved, StandardCharsets.ISO_8859_1).indexOf("PUNASEQ");
            for (int i = 0; i < saved.length; i += i < text + 200 ? 1 : 37) {
                byte[] damaged = saved.clone();
                damaged[i] ^= (byte) (1 << i % 8);
                refused(() -> context.restoreChat(damaged), "");
            }
            for (int length = 0; length < saved.length; length += length < 100 ? 1 : 97) {
                byte[] cut = Arrays.copyOf(saved, length);
                refused(() -> context.restoreChat(cut), "is no saved chat");
            }
            refused(() -> context.restoreChat(Arrays.copyOf(saved, saved.length + 1)), "something follows");
            Path file = Files.write(folder.resolve("cut"), Arrays.copyOf(saved, saved.length - 1));
            refused(() -> context.restoreChat(file), "cut");
            refused(() -> context.restoreChat(Models.TINY), "it does not begin as one");
            assertThat(context.status().sequences()).isEqualTo((int) before);
        }
    }

    /** The sums are right, and the text lies. */
    @Test
    void aTextThatLiesIsRefused() throws IOException {
        try (Chat chat = model.newChat()) {
            say(chat, "Hello");
            try (ChatFile file = ChatFile.read(chat.save())) {
                String json = file.json();
                refused(() -> lie(json, "\"puna_chat\": 1", "\"puna_chat\": 2"), "version 2");
                refused(() -> lie(json, "\"role\": \"user\"", "\"role\": \"cook\""), "role is none that is known");
                refused(() -> lie(json, "\"ids\": [", "\"ids\": [-1, "), "ids");
                refused(() -> lie(json, "\"ids\": [", "\"ids\": [1, "), "marks does not end");
                refused(() -> lie(json, "\"marks\": [", "\"marks\": [7, 9000, "), "marks does not ascend");
                refused(() -> lie(json, "\"control\": [", "\"control\": [900000, "), "control");
                refused(() -> lie(json, "\"cache\": \"F16\"", "\"cache\": \"F17\""), "F17");
                refused(() -> lie(json, "\"messages\": [", "\"messages\": [7, "), "messages[0]");
                refused(() -> lie(json, "{", "["), "is no saved chat");
            }
        }
    }

    private void lie(String json, String truth, String lie) {
        assertThat(json).contains(truth);
        model.restoreChat(bytes(json.replace(truth, lie))).close();
    }

    private static byte[] bytes(String json) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ChatFile file = new ChatFile(json, null)) {
            file.writeTo(Channels.newChannel(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    @Test
    void anotherTemplateIsNoHindrance() throws IOException {
        try (Chat chat = model.newChat()) {
            say(chat, "Hello");
            String template = model.format().fingerprint();
            try (ChatFile file = ChatFile.read(chat.save());
                    Chat restored = model.restoreChat(bytes(file.json().replace(template, "0123")))) {
                assertThat(restored.messages()).isEqualTo(chat.messages());
                assertThat(say(restored, "Say yes.").tokens())
                        .isEqualTo(say(chat, "Say yes.").tokens());
            }
        }
    }

    @Test
    void anotherModelAndATooShortContextAreRefused() {
        try (Chat chat = model.newChat();
                Context small = model.newContext(o -> o.maxSequences(1).contextLength(32))) {
            say(chat, "Hello");
            byte[] saved = chat.save();
            refused(() -> Models.smollm2().restoreChat(saved), "the chat is with another model");
            assertThatExceptionOfType(ContextFullException.class)
                    .isThrownBy(() -> small.restoreChat(saved))
                    .withMessageContaining("the context holds 32");
            assertThat(small.status().sequences()).isZero();
        }
    }

    /** Chats come and go while others talk: everyone hears what he would have heard alone. */
    @Test
    void manyAreSavedAndRestoredAtOnce() throws InterruptedException {
        Reply expected;
        byte[] saved;
        try (Context quiet = model.newContext(o -> o.maxSequences(1));
                Chat chat = quiet.newChat()) {
            say(chat, "Hello");
            saved = chat.save();
            expected = say(chat, "Say yes.");
        }
        try (Context context =
                model.newContext(o -> o.maxSequences(4).contextLength(256).cacheBudget(pages(4)))) {
            List<Throwable> wrong = Collections.synchronizedList(new ArrayList<>());
            List<Thread> threads = IntStream.range(0, 24)
                    .mapToObj(i -> Thread.ofVirtual().start(() -> {
                        try (Chat chat = context.restoreChat(saved)) {
                            Path file = folder.resolve(i + ".chat");
                            chat.save(file);
                            assertThat(say(chat, "Say yes.").tokens()).isEqualTo(expected.tokens());
                            try (Chat again = context.restoreChat(file)) {
                                assertThat(say(again, "Say yes.").tokens()).isEqualTo(expected.tokens());
                            }
                        } catch (Throwable e) {
                            wrong.add(e);
                        }
                    }))
                    .toList();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(wrong).isEmpty();
            assertThat(context.status().sequences()).isZero();
        }
    }
}
