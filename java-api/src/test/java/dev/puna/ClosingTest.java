// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.testing.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Closing at any time, in any order, from any thread. */
@Timeout(60)
class ClosingTest {
    private static void closed(Runnable use) {
        assertThatExceptionOfType(ClosedException.class).isThrownBy(use::run);
    }

    @Test
    void aModelClosedWhileItComputesEndsWhatRuns() throws InterruptedException {
        Model model =
                Model.builder("smollm2").defaultContext(o -> o.maxSequences(2)).load();
        List<TextStream> streams = new ArrayList<>();
        for (int i = 0; i < 3; i++) { // two run, one waits
            streams.add(model.prompt("Once upon a time").ignoreEnd().stream());
        }
        streams.getFirst().iterator().next();
        Thread other = Thread.ofVirtual().start(model::close);
        model.close();
        other.join();
        for (TextStream stream : streams) {
            assertThat(stream.isDone()).isTrue();
            closed(stream::reply);
            stream.close();
        }
        model.close();
        assertThat(model.isClosed()).isTrue();
    }

    @Test
    void aReaderThatWaitsIsToldOfTheClosing() {
        Context context = Models.smollm2().newContext(o -> o.maxSequences(1));
        TextStream stream = context.prompt("Once upon a time").ignoreEnd().stream();
        Thread closer = Thread.ofPlatform().start(() -> {
            stream.iterator().next();
            context.close();
        });
        closed(stream::reply);
        assertThat(closer.isDaemon()).isFalse();
        assertThat(context.isClosed()).isTrue();
    }

    @Test
    void logitsEndWhenTheirContextIsClosed() throws InterruptedException {
        Context context = Models.smollm2().newContext(o -> o.maxSequences(1));
        Thread closer = Thread.ofPlatform().start(() -> {
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            context.close();
        });
        closed(() -> context.logits(new int[6000], 5999));
        closer.join();
    }

    @Test
    void nothingCanBeUsedAfterItsModelIsClosed() {
        Model model = Model.load(Models.TINY);
        Context context = model.newContext(o -> o.maxSequences(1));
        Chat chat = model.newChat();
        Prompt prompt = model.prompt("Hello");
        Reply reply = prompt.reply();
        model.close();
        model.close();
        closed(prompt::text);
        closed(prompt::async);
        closed(() -> model.prompt("Hello"));
        closed(() -> model.chat(List.of(Message.user("Hello"))).text());
        closed(() -> model.newContext(o -> {}));
        closed(model::newChat);
        closed(model::status);
        closed(() -> model.tokenizer().encode("Hello"));
        closed(() -> model.tokenizer().decode(new int[] {1}));
        closed(() -> context.prompt(new int[] {1}).text());
        closed(context::status);
        closed(() -> context.logits(new int[] {1}, 0));
        closed(() -> chat.user("Hello").text());
        assertThat(context.isClosed()).isTrue();
        assertThat(model.info().vocabulary()).isEqualTo(1024);
        assertThat(reply.text()).isNotNull();
        chat.close();
        context.close();
    }

    @Test
    void aContextClosesAlone() {
        Context context = Models.tiny().newContext(o -> o.maxSequences(1));
        context.close();
        context.close();
        closed(() -> context.prompt(new int[] {1}).text());
        assertThat(Models.tiny().prompt("Hello").maxTokens(1).reply().tokens()).hasSize(1);
    }

    @Test
    void aChatClosedWhileItAnswersEndsTheAnswer() {
        try (Context context = Models.smollm2().newContext(o -> o.maxSequences(1))) {
            Chat chat = context.newChat();
            TextStream stream = chat.user("Hi").ignoreEnd().stream();
            stream.iterator().next();
            Thread.ofVirtual().start(chat::close);
            closed(stream::reply);
            chat.close();
            closed(() -> chat.user("Hi").text());
            assertThat(chat.messages()).isEmpty();
            assertThat(context.status().sequences()).isZero();
            assertThat(context.status().pagesUsed()).isZero();
        }
    }

    @Test
    void aFutureIsToldOfTheClosing() {
        Context context = Models.smollm2().newContext(o -> o.maxSequences(1));
        var future = context.prompt("Once upon a time").ignoreEnd().async();
        context.close();
        assertThatExceptionOfType(CompletionException.class)
                .isThrownBy(future::join)
                .withCauseInstanceOf(ClosedException.class);
    }

    @Test
    void manyThreadsMayCloseWhileManyAsk() throws InterruptedException {
        for (int round = 0; round < 5; round++) {
            Model model = Model.load(Models.TINY);
            List<Thread> threads = new ArrayList<>();
            List<Throwable> wrong = java.util.Collections.synchronizedList(new ArrayList<>());
            for (int i = 0; i < 20; i++) {
                threads.add(Thread.ofVirtual().start(() -> {
                    try {
                        while (true) {
                            model.prompt("Hello").maxTokens(5).text();
                        }
                    } catch (ClosedException expected) {
                        assertThat(model.isClosed()).isTrue();
                    } catch (Throwable e) {
                        wrong.add(e);
                    }
                }));
            }
            Thread.sleep(20 * round);
            for (int i = 0; i < 3; i++) {
                threads.add(Thread.ofVirtual().start(model::close));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(wrong).isEmpty();
        }
    }
}
