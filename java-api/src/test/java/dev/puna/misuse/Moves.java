// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import dev.puna.CacheType;
import dev.puna.Chat;
import dev.puna.Context;
import dev.puna.ContextOptions;
import dev.puna.GenerationInterruptedException;
import dev.puna.Generator;
import dev.puna.Logits;
import dev.puna.Message;
import dev.puna.Model;
import dev.puna.ModelPool;
import dev.puna.Observer;
import dev.puna.Reply;
import dev.puna.Request;
import dev.puna.Sampler;
import dev.puna.TextStream;
import dev.puna.Tool;
import dev.puna.ToolSpec;
import dev.puna.misuse.Ground.Host;
import dev.puna.misuse.Ground.Reading;
import dev.puna.misuse.Ground.Running;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What a player can do. */
final class Moves extends Player {
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

    /** Half of them as usual. */
    private static final List<CacheType> TYPES = List.of(CacheType.F16, CacheType.F16, CacheType.F32, CacheType.Q8_0);

    private final List<Move> moves;

    Moves(Ground ground, long seed, List<Player> others) {
        super(ground, seed, others);
        this.moves = List.of(
                new Move("load", 2, this::load),
                new Move("context", 4, this::context),
                new Move("question", 14, this::question),
                new Move("stream", 10, this::stream),
                new Move("async", 4, this::async),
                new Move("future", 4, this::future),
                new Move("read", 16, this::read),
                new Move("iterate", 6, this::iterate),
                new Move(
                        "cancel",
                        6,
                        () -> with(ground.streams, s -> s.value.stream().cancel())),
                new Move("closeStream", 4, () -> close(ground.streams)),
                new Move("wait", 6, this::await),
                new Move("chat", 5, this::chat),
                new Move("turn", 10, this::turn),
                new Move("script", 6, this::script),
                new Move("fork", 4, this::fork),
                new Move("save", 3, this::save),
                new Move("restore", 4, this::restore),
                new Move("hook", 4, this::hook),
                new Move("shift", 3, this::shift),
                new Move("trim", 1, this::trim),
                new Move("rewind", 3, this::rewind),
                new Move("books", 3, () -> with(ground.chats, c -> Objects.requireNonNull(c.value.messages()))),
                new Move("closeChat", 3, () -> close(ground.chats)),
                new Move("value", 3, this::value),
                new Move("tools", 3, this::tools),
                new Move("expert", 4, this::expert),
                new Move("look", 4, this::look),
                new Move("nonsense", 5, this::nonsense),
                new Move("observe", 2, this::observe),
                new Move("unwatch", 2, () -> with(ground.watches, Thing::close)),
                new Move("pool", 2, this::pool),
                new Move("lease", 4, this::lease),
                new Move("use", 2, this::use),
                new Move("giveBack", 2, () -> close(ground.leases)),
                new Move("closePool", 1, () -> close(ground.pools)),
                new Move("closeModel", 1, () -> close(ground.models)),
                new Move("closeHost", 1, () -> close(ground.hosts)),
                new Move("forget", 1, this::forget),
                new Move("interrupt", 8, this::interrupt));
    }

    @Override
    List<Move> moves() {
        return moves;
    }

    // ---- models and contexts

    private CacheType options(ContextOptions o) {
        CacheType type = TYPES.get(random.nextInt(TYPES.size()));
        o.maxSequences(pick(1, 2, 4, 16))
                .maxQueue(pick(0, 1, 5, 1024))
                .threads(pick(1, 1, 2, 3))
                .stepTokens(pick(1, 7, 64, 512))
                .cacheType(type);
        if (random.nextInt(3) == 0) {
            o.contextLength(pick(2, 16, 64, 65, 128, 300));
        }
        if (random.nextInt(4) == 0) {
            o.cacheBudget(pick(1, 1 << 16, 1 << 19, 1 << 21));
        }
        return type;
    }

    private void load() {
        small = true; // the default context of these options may be impossible
        planted = random.nextInt(8) == 0;
        CacheType[] type = {CacheType.F16};
        Model model = Model.builder(random.nextInt(4) > 0 ? ground.withTools : ground.file)
                .defaultContext(o -> type[0] = options(o))
                .onProgress(progress -> {
                    if (planted) {
                        throw new Planted();
                    }
                })
                .load();
        Thing<Model> thing = new Thing<>(model, null, Model::close);
        ground.models.add(thing);
        ground.hosts.add(new Thing<>(new Host(model, type[0]), thing, host -> thing.close()));
    }

    private void context() throws Exception {
        small = true;
        with(ground.models, model -> {
            CacheType[] type = {CacheType.F16};
            Context context = model.value.newContext(o -> type[0] = options(o));
            ground.hosts.add(new Thing<>(new Host(context, type[0]), model, host -> context.close()));
        });
    }

    // ---- generating

    /** What changes no token. */
    private Request<?> varied(Request<?> request) {
        if (random.nextInt(10) == 0) {
            request.logits(logits -> logits.set(3, logits.get(3)));
        }
        return random.nextInt(8) == 0 ? request.timeout(Duration.ofMillis(1 + random.nextInt(30))) : request;
    }

    private void question() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            int question = random.nextInt(Answers.QUESTIONS.size());
            Reply reply = varied(Answers.QUESTIONS.get(question).apply(host.value.generator()))
                    .reply();
            answered(host.value.type(), question, reply);
        });
    }

    private void answered(CacheType type, int question, @Nullable Reply reply) {
        if (reply != null && question >= 0) {
            ground.count(ground.answers.check(type, question, reply) ? "whole answers" : "beginnings of answers");
        }
    }

    private void stream() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            int question = random.nextInt(Answers.QUESTIONS.size());
            CacheType type = host.value.type();
            TextStream stream = varied(Answers.QUESTIONS.get(question).apply(host.value.generator())).stream();
            ground.streams.add(new Thing<>(new Running(stream, type, question), host, s -> stream.close()));
        });
    }

    private void async() throws Exception {
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

    private void future() throws Exception {
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

    private void iterate() throws Exception {
        with(
                ground.streams,
                stream -> ground.readings.add(
                        new Thing<>(new Reading(stream.value.stream().iterator()), stream, r -> {})));
    }

    /** Some pieces. One reader at a time is what the API asks for; another one has to wait here. */
    private void read() throws Exception {
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

    private void await() throws Exception {
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

    // ---- chats

    private void chat() throws Exception {
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

    private void turn() throws Exception {
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
    private void script() throws Exception {
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

    private void fork() throws Exception {
        with(ground.chats, chat -> ground.chats.add(new Thing<>(chat.value.fork(), chat.on, Chat::close)));
    }

    private void save() throws Exception {
        small = true;
        with(ground.chats, chat -> {
            byte[] saved = chat.value.save();
            ground.saved.add(new Thing<>(saved, null, bytes -> {}));
        });
    }

    /** On any context, which may keep another type of cache; sometimes with a byte that is wrong. */
    private void restore() throws Exception {
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

    /** A hook that bans, throws, calls the API from within, bans everything, or keeps what it was shown. */
    private void hook() throws Exception {
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

    private void shift() throws Exception {
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

    private void trim() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            if (host.value.generator() instanceof Context context) {
                context.trim();
            }
        });
    }

    private void rewind() throws Exception {
        bad = true; // there may be fewer turns
        with(ground.chats, chat -> chat.value.rewindTurns(1 + random.nextInt(2)));
    }

    // ---- values, tools, experts

    /** A form that an answer is held to. */
    record Point(int x, boolean on) {}

    private void value() throws Exception {
        small = true;
        with(
                ground.hosts,
                host -> host.value
                        .generator()
                        .prompt("A point: ")
                        .sampler(Sampler.of(Sampler.temperature(1)).seed(random.nextInt(5)))
                        .maxTokens(pick(3, 60))
                        .as(Point.class));
    }

    private void tools() throws Exception {
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

    private void expert() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            if (random.nextBoolean() || !(host.value.generator() instanceof Context context)) {
                host.value.generator().score("the ferry").perplexity();
            } else {
                context.logits(new int[] {1, 2, 3}, 1);
            }
        });
    }

    private void look() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            Generator generator = host.value.generator();
            Objects.requireNonNull(generator.statistics().toString());
            generator.prompt("the ferry").tokens();
            generator.chat(List.of(Message.user("Hello"))).rendered();
            switch (generator) {
                case Model model -> {
                    model.status().running();
                    model.capabilities();
                    Objects.requireNonNull(model.info().toString());
                    model.tokenizer().decode(model.tokenizer().encode("the ferry 안녕"));
                }
                case Context context -> context.status().pagesUsed();
            }
        });
    }

    /** Arguments that make no sense. */
    private void nonsense() throws Exception {
        small = true;
        bad = true;
        with(ground.hosts, host -> {
            Generator generator = host.value.generator();
            switch (random.nextInt(9)) {
                case 0 -> generator.prompt("x").grammar("root ::= nothing").text();
                case 1 -> generator.prompt("x").regex("(a").text();
                case 2 -> generator.prompt("x").json("{\"type\": 7}").text();
                case 3 -> generator.prompt(new int[] {1, 1 << 30}).text();
                case 4 -> generator.prompt(new int[0]).text();
                case 5 -> generator.prompt(new int[] {-1}).maxTokens(5).async().join();
                case 6 -> generator.prompt("x").maxTokens(0);
                case 7 -> generator.prompt("word ".repeat(3000)).maxTokens(1).text();
                default -> generator.prompt("x").stop("").text();
            }
        });
    }

    private void observe() throws Exception {
        small = true;
        boolean throwing = random.nextBoolean();
        with(
                ground.hosts,
                host -> ground.watches.add(new Thing<>(
                        host.value.generator().observe(new Observer() {
                            @Override
                            public void stepped(Step step) {
                                if (throwing && step.active() == 3) {
                                    throw new Planted();
                                }
                            }

                            @Override
                            public void ended(End end) {
                                if (throwing) {
                                    Thread.currentThread().interrupt();
                                }
                            }
                        }),
                        host,
                        Observer.Registration::close)));
    }

    // ---- pools

    private void pool() {
        long memory = pick(1, 40_000_000, 1_000_000_000);
        Duration keep = Duration.ofMillis(pick(0, 5, 10_000));
        ModelPool pool = ModelPool.create(o -> o.memory(memory)
                .keepAlive(keep)
                .patience(Duration.ofMillis(pick(1, 50)))
                .defaultContext(c -> c.contextLength(256).maxSequences(2)));
        ground.pools.add(new Thing<>(pool, null, ModelPool::close));
    }

    private String reference() {
        return (random.nextInt(4) == 0 ? ground.file : ground.withTools).toString();
    }

    private void lease() throws Exception {
        small = true;
        with(ground.pools, pool -> {
            ModelPool.Lease lease = pool.value.acquire(reference());
            Thing<ModelPool.Lease> thing = new Thing<>(lease, pool, ModelPool.Lease::close);
            ground.leases.add(thing);
            ground.hosts.add(new Thing<>(new Host(lease.model(), CacheType.F16), thing, host -> {
                if (random.nextInt(10) == 0) {
                    pool.mark(); // the model is everybody's
                    lease.model().close();
                } else {
                    thing.close();
                }
            }));
        });
    }

    private void use() throws Exception {
        small = true;
        planted = random.nextInt(4) == 0;
        with(ground.pools, pool -> {
            String text = pool.value.use(reference(), model -> {
                if (planted) {
                    throw new Planted();
                }
                return model.prompt("the ferry").maxTokens(3).text();
            });
            Objects.requireNonNull(text);
            Objects.requireNonNull(pool.value.status().models().toString());
        });
    }

    /** Things that nobody holds any more: the cleaners' work. */
    private void forget() {
        ground.streams.take(random);
        ground.readings.take(random);
        ground.watches.take(random);
        Thing<Chat> chat = ground.chats.take(random);
        if (chat != null && random.nextBoolean()) {
            chat.close();
        }
        if (random.nextInt(4) == 0) {
            ground.hosts.take(random);
            ground.leases.take(random);
            System.gc();
        }
    }
}
