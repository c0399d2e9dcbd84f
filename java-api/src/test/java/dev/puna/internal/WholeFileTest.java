// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.Chat;
import dev.puna.Model;
import dev.puna.Sampler;
import dev.puna.testing.ChildJvm;
import dev.puna.testing.Models;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that are killed while they write, and writers beside each other. */
@Timeout(120)
class WholeFileTest {
    @TempDir
    Path folder;

    /** Writes half a chat over the file it is given, says so, and waits to be killed. */
    static final class Half {
        public static void main(String[] arguments) throws IOException {
            byte[] chat = Files.readAllBytes(Path.of(arguments[0]));
            WholeFile.write(Path.of(arguments[0]), channel -> {
                channel.write(ByteBuffer.wrap(chat, 0, chat.length / 2));
                System.out.println("half");
                try {
                    TimeUnit.HOURS.sleep(1);
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            });
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aKilledProcessLeavesTheOldChatAndTheNextSaveCleansUp() throws Exception {
        Path file = folder.resolve("chat");
        try (Model model = Model.load(Models.TINY);
                Chat chat = model.newChat()) {
            chat.user("Hello").sampler(Sampler.greedy()).maxTokens(3).text();
            chat.save(file);
            byte[] saved = Files.readAllBytes(file);
            for (int i = 0; i < 2; i++) {
                killAtHalf(file);
                assertThat(file).hasBinaryContent(saved);
                assertThat(names()).hasSize(2).contains("chat"); // each writer removes what the one before it left
            }
            chat.user("And now?").maxTokens(3).text();
            chat.save(file);
            assertThat(names()).containsExactly("chat");
            try (Chat restored = model.restoreChat(file)) {
                assertThat(restored.messages()).isEqualTo(chat.messages());
            }
        }
    }

    private static void killAtHalf(Path file) throws Exception {
        Process process = ChildJvm.start(Half.class, file.toString());
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo("half");
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    /** What another process writes just now is not taken for a leftover. */
    @Test
    void whoStillWritesIsLeftAlone() throws Exception {
        Path file = folder.resolve("chat");
        Files.writeString(file, "an old one");
        Process process = ChildJvm.start(Half.class, file.toString());
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo("half");
            WholeFile.write(file, new byte[] {1});
            assertThat(names()).hasSize(2).contains("chat");
        } finally {
            process.destroyForcibly().waitFor();
        }
        WholeFile.write(file, new byte[] {2});
        assertThat(names()).containsExactly("chat");
        assertThat(file).hasBinaryContent(new byte[] {2});
    }

    @Test
    void writersOfThisProcessDoNotMeet() throws Exception {
        Path file = folder.resolve("file");
        CountDownLatch halfWritten = new CountDownLatch(1);
        CountDownLatch otherDone = new CountDownLatch(1);
        Thread first = Platform.start("first", () -> {
            try {
                WholeFile.write(file, channel -> {
                    channel.write(ByteBuffer.wrap(new byte[] {1}));
                    halfWritten.countDown();
                    try {
                        otherDone.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                    channel.write(ByteBuffer.wrap(new byte[] {2}));
                });
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        halfWritten.await();
        WholeFile.write(file, new byte[] {3});
        assertThat(file).hasBinaryContent(new byte[] {3});
        otherDone.countDown();
        first.join();
        assertThat(file).hasBinaryContent(new byte[] {1, 2});
        assertThat(names()).containsExactly("file");
    }

    /** Renaming fails, since a folder that is not empty has the name: it stays, and nothing is left beside it. */
    @Test
    void whereRenamingFailsNothingIsLeft() throws IOException {
        Path taken = folder.resolve("taken");
        Files.createDirectories(taken.resolve("inside"));
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> WholeFile.write(taken, new byte[] {1}));
        assertThat(names()).containsExactly("taken");
        assertThat(taken.resolve("inside")).isDirectory();
    }

    /** Names that only look alike are somebody else's. */
    @Test
    void onlyLeftoversAreRemoved() throws IOException {
        List<String> others = List.of(".chat.1.part", ".chat.1.2.parts", ".chat.x.2.part", ".chats.1.2.part");
        for (String other : others) {
            Files.createFile(folder.resolve(other));
        }
        Files.createFile(folder.resolve(".chat.12.34.part"));
        WholeFile.write(folder.resolve("chat"), new byte[] {1});
        assertThat(names())
                .containsExactlyInAnyOrder(
                        ".chat.1.part", ".chat.1.2.parts", ".chat.x.2.part", ".chats.1.2.part", "chat");
    }
}
