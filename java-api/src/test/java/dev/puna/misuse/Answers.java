// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import dev.puna.CacheType;
import dev.puna.Chat;
import dev.puna.Context;
import dev.puna.Generator;
import dev.puna.Message;
import dev.puna.Model;
import dev.puna.Reply;
import dev.puna.Request;
import dev.puna.Sampler;
import dev.puna.StopReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Requests whose answers are known from a quiet run: whatever goes on beside them, they stay the same. */
final class Answers {
    private static final Sampler HOT =
            Sampler.of(Sampler.topK(50), Sampler.temperature(1.7f)).seed(99);
    private static final Sampler WARM = Sampler.of(
                    Sampler.repetition(p -> p.repeat(1.2f).window(20)), Sampler.minP(.02f), Sampler.temperature(3))
            .seed(-5);

    /** What is asked, made anew each time. */
    static final List<Function<Generator, Request<?>>> QUESTIONS = List.of(
            g -> chat(g, "Hello").sampler(Sampler.greedy()),
            g -> chat(g, "Why is the sky blue?").sampler(Sampler.greedy()).logprobs(3),
            g -> chat(g, "Tell me a story about a ferry.").sampler(Sampler.greedy()),
            g -> chat(g, "Count to twenty.").sampler(Sampler.greedy()).stop("9, 10"),
            g -> chat(g, "Smile!").sampler(Sampler.greedy()).maxTokens(7),
            g -> chat(g, "Hello").sampler(HOT).maxTokens(60),
            g -> g.prompt("Once upon a time").sampler(WARM).ignoreEnd().maxTokens(80),
            g -> g.prompt("the ferry").sampler(HOT).ignoreEnd().maxTokens(200),
            g -> chat(g, "Say yes.").sampler(HOT).grammar("root ::= (\"yes\" | \"no\") (\", \" [a-z]{1,12}){0,4}"),
            g -> chat(g, "Write some code.").sampler(HOT).regex("[a-z]{2,9}(\\([0-9]{1,3}\\))?;"),
            g -> g.prompt("{").sampler(HOT).json().maxTokens(40));

    /** The turns of one chat. */
    static final List<UnaryOperator<Chat.Turn>> TURNS = List.of(
            turn -> turn.sampler(Sampler.greedy()),
            turn -> turn.sampler(HOT).maxTokens(20),
            turn -> turn.sampler(Sampler.greedy()).maxTokens(30));

    static final List<String> SAID = List.of("Hello", "Say yes.", "Thank you");

    private final Map<CacheType, List<Reply>> known = new EnumMap<>(CacheType.class);
    private final Map<CacheType, List<Reply>> turns = new EnumMap<>(CacheType.class);

    Answers(Model model) {
        for (CacheType type : CacheType.values()) {
            try (Context quiet =
                    model.newContext(o -> o.maxSequences(1).threads(1).cacheType(type))) {
                known.put(
                        type,
                        QUESTIONS.stream().map(q -> q.apply(quiet).reply()).toList());
                try (Chat chat = quiet.newChat()) {
                    List<Reply> replies = new ArrayList<>();
                    for (int i = 0; i < SAID.size(); i++) {
                        replies.add(TURNS.get(i).apply(chat.user(SAID.get(i))).reply());
                    }
                    turns.put(type, replies);
                }
            }
        }
    }

    private static Request<?> chat(Generator generator, String question) {
        return generator.chat(List.of(Message.user(question)));
    }

    /** Fails unless a reply is the known one, or its beginning where it was ended early. True if it is the whole. */
    boolean check(CacheType type, int question, Reply reply) {
        return same(Objects.requireNonNull(known.get(type)).get(question), reply, "question " + question);
    }

    /** The same for a chat's turn; the turns before it must have been whole. */
    boolean checkTurn(CacheType type, int turn, Reply reply) {
        return same(Objects.requireNonNull(turns.get(type)).get(turn), reply, "turn " + turn);
    }

    private static boolean same(Reply expected, Reply reply, String what) {
        int[] is = reply.tokens();
        int[] should = expected.tokens();
        StopReason reason = reply.stopReason();
        boolean early = reason == StopReason.CANCELLED || reason == StopReason.TIMEOUT || reason == StopReason.CONTEXT;
        boolean equal = early
                ? is.length <= should.length && Arrays.equals(is, Arrays.copyOf(should, is.length))
                : Arrays.equals(is, should) && reply.text().equals(expected.text()) && reason == expected.stopReason();
        if (!equal) {
            throw new AssertionError(what + " was answered " + reason + " " + Arrays.toString(is) + " '" + reply.text()
                    + "', not " + expected.stopReason() + " " + Arrays.toString(should) + " '" + expected.text() + "'");
        }
        return !early;
    }
}
