// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import dev.puna.CacheType;
import dev.puna.Chat;
import dev.puna.Message;
import dev.puna.Reply;
import dev.puna.TextStream;
import dev.puna.Tool;
import dev.puna.ToolSpec;
import dev.puna.misuse.Ground.Running;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What a player can do with chats. */
abstract class Talks extends Questions {
    /** A tool that fails. */
    static final class Boom {
        @Tool("fails")
        @SuppressWarnings("DoNotCallSuggester")
        String boom() {
            throw new Planted();
        }
    }

    private static final String CALL =
            "root ::= \"<tool_call>{\\\"name\\\": \\\"boom\\\", \\\"arguments\\\": {}}</tool_call>\"";

    Talks(Ground ground, long seed, List<Player> others) {
        super(ground, seed, others);
    }

    void chat() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            Chat chat = host.value.generator().newChat(o -> {
                if (random.nextBoolean()) {
                    o.system("You are a pirate.");
                }
            });
            ground.chats.add(new Thing<>(chat, host, Chat::close));
        });
    }

    void turn() throws Exception {
        small = true;
        with(ground.chats, chat -> {
            Chat.Turn turn = (random.nextInt(6) == 0
                            ? chat.value.again()
                            : random.nextInt(6) == 0
                                    ? chat.value.say(Message.assistant("Well."))
                                    : chat.value.user(random.nextBoolean() ? "Hello" : "안녕하세요"))
                    .maxTokens(1 + random.nextInt(40));
            switch (random.nextInt(3)) {
                case 0 -> varied(turn).text();
                case 1 -> {
                    TextStream stream = turn.stream();
                    ground.streams.add(new Thing<>(new Running(stream, CacheType.F16, -1), chat, s -> stream.close()));
                }
                default -> ground.futures.add(new Thing<>(turn.async(), chat, f -> f.cancel(true)));
            }
        });
    }

    /** A chat of one's own, whose turns are known as long as each was whole. */
    void script() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            Chat chat = host.value.generator().newChat();
            Thing<Chat> thing = new Thing<>(chat, host, Chat::close);
            on = thing;
            try {
                boolean whole = true;
                for (int i = 0; i < Answers.SAID.size() && whole; i++) {
                    Chat next = switch (random.nextInt(8)) {
                        case 0 -> chat.fork();
                        case 1 -> host.value.generator().restoreChat(chat.save());
                        default -> chat;
                    };
                    Reply reply = Answers.TURNS
                            .get(i)
                            .apply(next.user(Answers.SAID.get(i)))
                            .reply();
                    whole = ground.answers.checkTurn(host.value.type(), i, reply);
                    ground.count(whole ? "whole turns" : "beginnings of turns");
                    if (next != chat) {
                        chat.close();
                        chat = next;
                    }
                }
            } finally {
                chat.close();
                thing.mark();
            }
        });
    }

    void fork() throws Exception {
        with(ground.chats, chat -> ground.chats.add(new Thing<>(chat.value.fork(), chat.on, Chat::close)));
    }

    void save() throws Exception {
        small = true;
        with(ground.chats, chat -> {
            byte[] saved = chat.value.save();
            ground.saved.add(new Thing<>(saved, null, bytes -> {}));
        });
    }

    /** On any context, which may keep another type of cache; sometimes with a byte that is wrong. */
    void restore() throws Exception {
        small = true;
        Thing<byte[]> saved = ground.saved.any(random);
        if (saved == null) {
            return;
        }
        byte[] bytes = saved.value;
        bad = random.nextInt(4) == 0;
        if (bad) {
            bytes = random.nextBoolean() ? bytes.clone() : Arrays.copyOf(bytes, random.nextInt(bytes.length));
            if (bytes.length > 0) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
        }
        byte[] given = bytes;
        with(ground.hosts, host -> {
            Chat chat = host.value.generator().restoreChat(given);
            ground.chats.add(new Thing<>(chat, host, Chat::close));
        });
    }

    void rewind() throws Exception {
        bad = true; // there may be fewer turns
        with(ground.chats, chat -> chat.value.rewindTurns(1 + random.nextInt(2)));
    }

    void tools() throws Exception {
        small = true;
        planted = false; // what a tool throws is told to the model, or comes as a ToolException
        with(ground.chats, chat -> {
            Chat.Turn turn =
                    chat.value.user("Hello").maxTokens(60).grammar(CALL).maxToolRounds(2);
            switch (random.nextInt(3)) {
                case 0 -> turn.tools(new Boom()).failOnToolError().text();
                case 1 -> turn.tools(new Boom()).text();
                default ->
                    turn.tools(List.of(new ToolSpec("boom", "fails", Map.of())))
                            .reply()
                            .toolCalls();
            }
        });
    }
}
