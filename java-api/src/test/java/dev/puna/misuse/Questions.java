// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import dev.puna.CacheType;
import dev.puna.GenerationInterruptedException;
import dev.puna.Generator;
import dev.puna.Logits;
import dev.puna.Reply;
import dev.puna.Request;
import dev.puna.TextStream;
import dev.puna.misuse.Ground.Reading;
import dev.puna.misuse.Ground.Running;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What a player can ask models and contexts, and do with the answers that come. */
abstract class Questions extends Player {
    Questions(Ground ground, long seed, List<Player> others) {
        super(ground, seed, others);
    }

    /** What changes no token. */
    Request<?> varied(Request<?> request) {
        if (random.nextInt(10) == 0) {
            request.logits(logits -> logits.set(3, logits.get(3)));
        }
        return random.nextInt(8) == 0 ? request.timeout(Duration.ofMillis(1 + random.nextInt(30))) : request;
    }

    void question() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            int question = random.nextInt(Answers.QUESTIONS.size());
            Reply reply = varied(Answers.QUESTIONS.get(question).apply(host.value.generator()))
                    .reply();
            answered(host.value.type(), question, reply);
        });
    }

    void answered(CacheType type, int question, @Nullable Reply reply) {
        if (reply != null && question >= 0) {
            ground.count(ground.answers.check(type, question, reply) ? "whole answers" : "beginnings of answers");
        }
    }

    void stream() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            int question = random.nextInt(Answers.QUESTIONS.size());
            CacheType type = host.value.type();
            TextStream stream = varied(Answers.QUESTIONS.get(question).apply(host.value.generator())).stream();
            ground.streams.add(new Thing<>(new Running(stream, type, question), host, s -> stream.close()));
        });
    }

    void async() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            int question = random.nextInt(Answers.QUESTIONS.size());
            CacheType type = host.value.type();
            CompletableFuture<Reply> future = Answers.QUESTIONS
                    .get(question)
                    .apply(host.value.generator())
                    .async();
            var _ = future.thenAccept(reply -> {
                try {
                    answered(type, question, reply);
                } catch (AssertionError e) {
                    ground.wrong.add(e);
                }
            });
            ground.futures.add(new Thing<>(future, host, f -> f.cancel(true)));
        });
    }

    void future() throws Exception {
        small = true;
        with(ground.futures, future -> {
            switch (random.nextInt(4)) {
                case 0 -> future.close();
                case 1 -> future.value.get(random.nextInt(20), TimeUnit.MILLISECONDS);
                case 2 -> future.value.join();
                default -> future.value.isDone();
            }
        });
    }

    void iterate() throws Exception {
        with(
                ground.streams,
                stream -> ground.readings.add(
                        new Thing<>(new Reading(stream.value.stream().iterator()), stream, r -> {})));
    }

    /** Some pieces. One reader at a time is what the API asks for; another one has to wait here. */
    void read() throws Exception {
        small = true;
        with(ground.readings, reading -> {
            if (reading.claim()) {
                try {
                    for (int i = random.nextInt(6); i >= 0; i--) {
                        if (random.nextBoolean() && !reading.value.pieces().hasNext()) {
                            break;
                        }
                        reading.value.pieces().next().text();
                    }
                } finally {
                    reading.release();
                }
            }
        });
    }

    void await() throws Exception {
        small = true;
        with(ground.streams, running -> {
            if (random.nextBoolean()) {
                running.value.stream().isDone();
            }
            try {
                answered(
                        running.value.type(),
                        running.value.question(),
                        running.value.stream().reply());
            } catch (GenerationInterruptedException e) {
                answered(running.value.type(), running.value.question(), e.partial());
                throw e;
            }
        });
    }

    /** A hook that bans, throws, calls the API from within, bans everything, or keeps what it was shown. */
    void hook() throws Exception {
        small = true;
        int what = random.nextInt(6);
        planted = what == 0;
        bad = what == 1;
        with(ground.hosts, host -> {
            Generator generator = host.value.generator();
            Logits[] kept = new Logits[1];
            int[] calls = new int[1];
            generator
                    .prompt("the ferry")
                    .maxTokens(6)
                    .logits(logits -> {
                        calls[0]++;
                        switch (what) {
                            case 0 -> throw new Planted();
                            case 1 -> {
                                for (int id = 0; id < logits.size(); id++) {
                                    logits.set(id, Float.NEGATIVE_INFINITY);
                                }
                            }
                            case 2 -> {
                                if (calls[0] == 2) {
                                    generator.prompt("x").maxTokens(2).text();
                                }
                            }
                            case 3 -> Thread.currentThread().interrupt();
                            default -> logits.set(5, Float.NEGATIVE_INFINITY);
                        }
                        kept[0] = logits;
                    })
                    .text();
            if (kept[0] != null) {
                try {
                    kept[0].get(0);
                    throw new AssertionError("a hook's logits can be used after it");
                } catch (IllegalStateException expected) {
                    Objects.requireNonNull(expected);
                }
            }
        });
    }

    void shift() throws Exception {
        small = true;
        with(
                ground.hosts,
                host -> host.value
                        .generator()
                        .prompt("the ferry went to sea and")
                        .ignoreEnd()
                        .contextShift(random.nextInt(4))
                        .maxTokens(pick(5, 300))
                        .text());
    }
}
