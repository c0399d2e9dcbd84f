// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.testing.Models;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Contexts that are full: the end, or, where that was asked for, forgetting. */
@Timeout(60)
class ContextShiftTest {
    private static final int LENGTH = 256;
    private static final String SYSTEM = "Be brief.";

    private Context context;

    @BeforeEach
    void open() {
        context = Models.tiny().newContext(o -> o.maxSequences(4).contextLength(LENGTH));
    }

    @AfterEach
    void close() {
        context.close();
    }

    private static Sampler free(long seed) {
        return Sampler.of(Sampler.temperature(20)).seed(seed);
    }

    private Prompt prompt() {
        return context.prompt("Once upon a time").sampler(free(3)).ignoreEnd().maxTokens(400);
    }

    @Test
    void withoutItTheContextsEndIsTheAnswers() {
        Reply reply = prompt().reply();
        assertThat(reply.stopReason()).isEqualTo(StopReason.CONTEXT);
        assertThat(reply.usage().droppedTokens()).isZero();
        assertThat(reply.usage().promptTokens() + reply.tokens().length).isEqualTo(LENGTH);
    }

    @Test
    void withItTheAnswerGoesOn() {
        Reply whole = prompt().reply();
        Reply reply = prompt().contextShift(4).reply();
        assertThat(reply.stopReason()).isEqualTo(StopReason.LENGTH);
        assertThat(reply.tokens()).hasSize(400).startsWith(whole.tokens());
        assertThat(reply.usage().droppedTokens()).isEqualTo(2 * (LENGTH - 4) / 2); // twice the older half
        CompletableFuture<Reply> crowded = prompt().contextShift(4).async();
        for (int i = 0; i < 6; i++) {
            context.prompt("Twice").sampler(free(i)).maxTokens(60).reply();
        }
        assertThat(crowded.join().tokens()).isEqualTo(reply.tokens());
        assertThat(prompt().contextShift(20).reply().tokens()).isNotEqualTo(reply.tokens());
        ReplayRecord record = ReplayRecord.parse(reply.record().json());
        assertThat(record.replay(Models.tiny())).hasToString("equal: 400 tokens");
        assertThatIllegalArgumentException().isThrownBy(() -> prompt().contextShift(-1));
    }

    @Test
    void aPromptMustFitAllTheSame() {
        assertThatExceptionOfType(ContextFullException.class)
                .isThrownBy(() -> context.prompt(new int[LENGTH]).contextShift().text());
    }

    private Chat chat(boolean shifts) {
        return context.newChat(o -> {
            o.system(SYSTEM);
            if (shifts) {
                o.contextShift();
            }
        });
    }

    private static Reply say(Chat chat, int turn) {
        return chat.user("This is turn number " + turn + ".")
                .sampler(free(turn))
                .maxTokens(12)
                .reply();
    }

    @Test
    void aChatForgetsItsOldestTurns() {
        try (Chat plain = chat(false)) {
            assertThatExceptionOfType(ContextFullException.class).isThrownBy(() -> {
                for (int i = 0; i < 30; i++) {
                    say(plain, i);
                }
            });
        }
        int[] front = front();
        int dropped = 0;
        int shifts = 0;
        try (Chat chat = chat(true)) {
            for (int i = 0; i < 30; i++) {
                Reply reply = say(chat, i);
                int[] told = reply.record().promptTokens();
                assertThat(told.length).isLessThanOrEqualTo(LENGTH - LENGTH / 4);
                assertThat(told).startsWith(front);
                String text = Models.tiny().tokenizer().decode(told);
                assertThat(text).contains("turn number " + i + ".");
                boolean first = shifts == 0 && reply.usage().droppedTokens() == 0;
                assertThat(text.contains("turn number 0.")).isEqualTo(first);
                dropped += reply.usage().droppedTokens();
                shifts += reply.usage().droppedTokens() > 0 ? 1 : 0;
            }
            assertThat(shifts).isBetween(3, 20); // not at every turn: half is free after one
            assertThat(dropped).isGreaterThan(LENGTH);
            assertThat(chat.messages()).hasSize(61);
            try (Chat fork = chat.fork()) {
                assertThat(say(fork, 30).tokens()).isEqualTo(say(chat, 30).tokens());
            }
            chat.rewindTurns(30);
            assertThat(chat.messages()).hasSize(3);
            String text =
                    Models.tiny().tokenizer().decode(say(chat, 31).record().promptTokens());
            assertThat(text)
                    .contains("turn number 0.")
                    .contains("turn number 31.")
                    .doesNotContain("number 1.");
        }
    }

    /** What stands in front of the first thing that a user says. */
    private int[] front() {
        int[] one =
                context.chat(List.of(Message.system(SYSTEM), Message.user("1"))).tokens();
        int[] two =
                context.chat(List.of(Message.system(SYSTEM), Message.user("2"))).tokens();
        return Arrays.copyOf(one, Arrays.mismatch(one, two));
    }

    @Test
    void aLongAnswerKeepsTheSystemMessage() {
        try (Chat chat = chat(true)) {
            Reply reply = chat.user("Go on.")
                    .sampler(free(9))
                    .ignoreEnd()
                    .maxTokens(300)
                    .reply();
            assertThat(reply.stopReason()).isEqualTo(StopReason.LENGTH);
            assertThat(reply.usage().droppedTokens()).isPositive();
            int[] ids = reply.record().promptTokens();
            assertThat(ids).startsWith(front());
            assertThat(context.prompt(ids)
                            .contextShift(front().length)
                            .sampler(free(9))
                            .ignoreEnd()
                            .maxTokens(300)
                            .reply()
                            .tokens())
                    .isEqualTo(reply.tokens());
            Reply next = say(chat, 1); // the long answer does not fit any more
            assertThat(next.record().promptTokens().length).isLessThan(LENGTH / 2);
            assertThat(next.usage().droppedTokens()).isGreaterThan(300);
        }
    }

    @Test
    void whatIsSaidLastMustFit() {
        try (Chat chat = chat(true)) {
            say(chat, 1);
            assertThatExceptionOfType(ContextFullException.class)
                    .isThrownBy(() -> chat.user("word ".repeat(LENGTH)).text());
            assertThat(chat.messages()).hasSize(3);
            assertThat(say(chat, 2).usage().droppedTokens()).isZero();
        }
    }
}
