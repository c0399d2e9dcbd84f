// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.puna.testing.Eventually;
import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Conversations, on a model that knows some by heart. */
@Timeout(60)
class ChatTest {
    private final Model model = Models.tiny();

    private static String say(Chat chat, String text) {
        return chat.user(text).sampler(Sampler.greedy()).text();
    }

    @Test
    void everyKnownConversationIsAnsweredStatelessly() {
        Models.CONVERSATIONS.forEach((name, golden) -> {
            List<Message> messages = switch (name) {
                case "You are a pirate. / Hello" -> List.of(Message.system("You are a pirate."), Message.user("Hello"));
                case "Hello / Say yes. / Thank you" ->
                    List.of(
                            Message.user("Hello"),
                            Message.assistant(Models.answer("Hello")),
                            Message.user("Say yes."),
                            Message.assistant(Models.answer("Say yes.")),
                            Message.user("Thank you"));
                default -> List.of(Message.user(name));
            };
            ChatRequest request = model.chat(messages).sampler(Sampler.greedy());
            assertThat(request.tokens()).as(name).isEqualTo(golden.ids("ids"));
            assertThat(request.text()).as(name).isEqualTo(golden.text("answer"));
        });
    }

    @Test
    void aChatRemembersAndComputesOnlyWhatIsNew() {
        Golden last = Models.conversation("Hello / Say yes. / Thank you");
        try (Context context = model.newContext(options -> {}); // in which nobody has said this before
                Chat chat = context.newChat()) {
            assertThat(say(chat, "Hello")).isEqualTo(Models.answer("Hello"));
            assertThat(say(chat, "Say yes.")).isEqualTo("Yes.");
            Reply reply = chat.user("Thank you").sampler(Sampler.greedy()).reply();
            assertThat(reply.text()).isEqualTo(last.text("answer"));
            assertThat(reply.usage().promptTokens()).isEqualTo(last.ids("ids").length);
            // all but the end of the last answer, which was never an input, and what stands between it and the question
            int secondTurn = indexOf(last.ids("ids"), model.tokenizer().encode("Thank you"));
            assertThat(reply.usage().cachedTokens()).isEqualTo(secondTurn - 7);
            assertThat(chat.messages()).hasSize(6);
            assertThat(chat.messages().getLast().text()).isEqualTo(last.text("answer"));
        }
    }

    private static int indexOf(int[] all, int[] part) {
        return IntStream.range(0, all.length - part.length + 1)
                .filter(i -> IntStream.range(0, part.length).allMatch(j -> all[i + j] == part[j]))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void partsOfAMessageAreOneText() {
        Message parts = new Message.User(List.of(Content.text("Say "), Content.text("yes.")));
        assertThat(model.chat(List.of(parts)).tokens())
                .isEqualTo(Models.conversation("Say yes.").ids("ids"));
    }

    @Test
    void aSystemMessageIsHeard() {
        try (Chat chat = model.newChat(options -> options.system("You are a pirate."))) {
            assertThat(say(chat, "Hello")).isEqualTo(Models.answer("You are a pirate. / Hello"));
            assertThat(chat.messages().getFirst()).isEqualTo(Message.system("You are a pirate."));
        }
    }

    @Test
    void aChatGoesOnFromEarlierMessages() {
        List<Message> before = List.of(
                Message.user("Hello"), Message.assistant(Models.answer("Hello")),
                Message.user("Say yes."), Message.assistant("Yes."));
        try (Chat chat = model.newChat(options -> options.messages(before))) {
            assertThat(say(chat, "Thank you")).isEqualTo(Models.answer("Hello / Say yes. / Thank you"));
        }
    }

    @Test
    void generatedIdsAreKeptAsTheyWere() {
        try (Context context = model.newContext(o -> o.maxSequences(1));
                Chat chat = context.newChat()) {
            Reply first = spelledUnusually(chat);
            Reply second = chat.user("Say yes.").maxTokens(1).reply();
            // "Hello" is a prompt of 15 tokens; the answer's last token was never an input
            assertThat(second.usage().cachedTokens()).isEqualTo(15 + first.tokens().length - 1);
        }
    }

    /** At a high temperature words are spelled in tokens that the tokenizer would not choose. */
    private Reply spelledUnusually(Chat chat) {
        Tokenizer tokenizer = model.tokenizer();
        for (int seed = 1; ; seed++) {
            Reply reply = chat.user("Hello")
                    .sampler(Sampler.of(Sampler.temperature(50)).seed(seed))
                    .maxTokens(12)
                    .reply();
            boolean usual = Arrays.equals(tokenizer.encode(reply.text()), reply.tokens());
            boolean control = IntStream.of(reply.tokens()).anyMatch(id -> tokenizer.kind(id) == Tokenizer.Kind.CONTROL);
            if (!usual && !control && !reply.text().contains("\uFFFD")) {
                return reply;
            }
            chat.rewindTurns(1);
        }
    }

    @Test
    void anotherAnswerTakesTheLastOneBack() {
        try (Chat chat = model.newChat()) {
            assertThatIllegalStateException().isThrownBy(() -> chat.again().text());
            say(chat, "Hello");
            Reply wild = chat.user("Say yes.")
                    .sampler(Sampler.of(Sampler.temperature(50)).seed(1))
                    .maxTokens(20)
                    .reply();
            assertThat(chat.messages().getLast().text()).isEqualTo(wild.text()).isNotEqualTo("Yes.");
            Reply again = chat.again().sampler(Sampler.greedy()).reply();
            assertThat(again.text()).isEqualTo("Yes.");
            assertThat(again.usage().promptTokens()).isEqualTo(wild.usage().promptTokens());
            assertThat(again.usage().cachedTokens()).isEqualTo(wild.usage().promptTokens() - 1);
            assertThat(chat.messages()).hasSize(4);
            assertThat(say(chat, "Thank you")).isEqualTo(Models.answer("Hello / Say yes. / Thank you"));
        }
    }

    @Test
    void aForkGoesOnByItself() {
        try (Chat chat = model.newChat()) {
            say(chat, "Hello");
            try (Chat fork = chat.fork()) {
                assertThat(fork.messages()).isEqualTo(chat.messages());
                assertThat(say(fork, "Say yes.")).isEqualTo("Yes.");
                assertThat(fork.messages()).hasSize(4);
                assertThat(chat.messages()).hasSize(2);
            }
            assertThat(say(chat, "Say yes.")).isEqualTo("Yes.");
            chat.close();
            assertThatExceptionOfType(ClosedException.class).isThrownBy(chat::fork);
        }
    }

    @Test
    void aForkSharesWhatWasSaid() {
        try (Context context =
                        Models.smollm2().newContext(o -> o.maxSequences(2).contextLength(1024));
                Chat chat = context.newChat()) {
            chat.user("word ".repeat(300)).maxTokens(8).text();
            long pages = context.status().pagesUsed();
            try (Chat fork = chat.fork()) {
                Reply reply = fork.user("And now?").maxTokens(4).reply();
                assertThat(reply.usage().cachedTokens()).isGreaterThan(256);
                assertThat(context.status().pagesUsed() - pages).isBetween(1L, 2L); // what is new, and a page's rest
            }
        }
    }

    @Test
    void turnsCanBeTakenBack() {
        try (Chat chat = model.newChat(options -> options.system("You are a pirate."))) {
            say(chat, "Hello");
            say(chat, "Say yes.");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> chat.rewindTurns(3))
                    .withMessageContaining("1 to 2");
            assertThatIllegalArgumentException().isThrownBy(() -> chat.rewindTurns(0));
            chat.rewindTurns(2);
            assertThat(chat.messages()).containsExactly(Message.system("You are a pirate."));
            Reply reply = chat.user("Hello").sampler(Sampler.greedy()).reply();
            assertThat(reply.text()).isEqualTo(Models.answer("You are a pirate. / Hello"));
            assertThat(reply.usage().cachedTokens()).isEqualTo(reply.usage().promptTokens() - 1);
        }
    }

    @Test
    void aFailedTurnLeavesTheChatAsItWas() {
        try (Context small = model.newContext(o -> o.maxSequences(1).contextLength(128));
                Chat chat = small.newChat()) {
            say(chat, "Hello");
            List<Message> before = chat.messages();
            assertThatExceptionOfType(ContextFullException.class).isThrownBy(() -> say(chat, "long ".repeat(200)));
            assertThat(chat.messages()).isEqualTo(before);
            assertThat(say(chat, "Say yes.")).isEqualTo("Yes.");
        }
    }

    @Test
    void aCancelledTurnKeepsThePartialAnswerAndGoesOn() {
        try (Context context = Models.smollm2().newContext(o -> o.maxSequences(1));
                Chat chat = context.newChat()) {
            String partial;
            try (TextStream stream = chat.user("Tell me a long story.").ignoreEnd().stream()) {
                stream.iterator().next();
                stream.cancel();
                partial = stream.reply().text();
            }
            assertThat(chat.messages().getLast()).isEqualTo(Message.assistant(partial));
            Reply next = chat.user("Go on.").maxTokens(2).reply();
            assertThat(next.usage().cachedTokens()).isGreaterThan(20);
            assertThat(chat.messages()).hasSize(4);
        }
    }

    @Test
    void anAnswerThatNobodyReadIsEnteredAllTheSame() {
        try (Chat chat = model.newChat()) {
            TextStream stream = chat.user("Hello").sampler(Sampler.greedy()).stream();
            Eventually.holds("the answer is there", stream::isDone);
            assertThat(chat.messages().getLast().text()).isEqualTo(Models.answer("Hello"));
            assertThat(say(chat, "Say yes.")).isEqualTo("Yes.");
        }
    }

    @Test
    void aSecondTurnMeanwhileIsRefusedAndHarmsNothing() throws InterruptedException {
        try (Context context = Models.smollm2().newContext(o -> o.maxSequences(4));
                Chat chat = context.newChat();
                TextStream first = chat.user("Tell me a story.").ignoreEnd().stream()) {
            Thread[] others = new Thread[8];
            for (int i = 0; i < others.length; i++) {
                others[i] = Thread.ofVirtual().start(() -> {
                    assertThatIllegalStateException()
                            .isThrownBy(() -> chat.user("Hi").text());
                    assertThatIllegalStateException().isThrownBy(() -> chat.rewindTurns(1));
                });
            }
            for (Thread other : others) {
                other.join();
            }
            Eventually.holds("the first one runs", () -> context.status().running() == 1);
            first.cancel();
            first.reply();
            assertThat(chat.messages()).hasSize(2);
            assertThat(chat.user("Hi").maxTokens(1).reply().tokens()).hasSize(1);
        }
    }

    @Test
    void aStopStringLeavesNothingBehind() {
        try (Chat chat = model.newChat()) {
            String text =
                    chat.user("Hello").sampler(Sampler.greedy()).stop("can I").text();
            assertThat(text).isEqualTo("Hello! How ");
            assertThat(chat.messages().getLast()).isEqualTo(Message.assistant(text));
            int[] stateless = model.chat(
                            List.of(Message.user("Hello"), Message.assistant(text), Message.user("Say yes.")))
                    .tokens();
            Reply next = chat.user("Say yes.").maxTokens(1).reply();
            assertThat(next.usage().promptTokens()).isBetween(stateless.length - 2, stateless.length + 2);
        }
    }

    @Test
    void manyChatsKeepApart() throws InterruptedException {
        try (Context context = model.newContext(o -> o.maxSequences(4))) {
            List<Throwable> wrong = java.util.Collections.synchronizedList(new java.util.ArrayList<>());
            List<Thread> threads = IntStream.range(0, 20)
                    .mapToObj(i -> Thread.ofVirtual().start(() -> {
                        try (Chat chat = context.newChat()) {
                            assertThat(say(chat, "Hello")).isEqualTo(Models.answer("Hello"));
                            assertThat(say(chat, "Say yes.")).isEqualTo("Yes.");
                            assertThat(say(chat, "Thank you")).isEqualTo(Models.answer("Thank you"));
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

    @Test
    void aForgottenChatGivesItsPlaceBack() {
        try (Context context = model.newContext(o -> o.maxSequences(1))) {
            forget(context);
            Eventually.holds("the sequence is closed", () -> {
                System.gc();
                return context.status().sequences() == 0;
            });
            assertThat(context.status().pagesUsed()).isZero();
        }
    }

    private static void forget(Context context) {
        say(context.newChat(), "Hello");
        assertThat(context.status().sequences()).isEqualTo(1);
    }

    @Test
    void toolsAndVariablesReachTheTemplateOfSmolLM2() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.chat(List.of()))
                .withMessageContaining("no messages");
        String rendered = Models.smollm2().chat(List.of(Message.user("Hi"))).rendered();
        assertThat(rendered)
                .isEqualTo("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
                        + "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
        assertThat(Models.smollm2().capabilities())
                .containsExactlyInAnyOrder(Capability.GENERATE, Capability.CHAT, Capability.EMBED);
    }
}
