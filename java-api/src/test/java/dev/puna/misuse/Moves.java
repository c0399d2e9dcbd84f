// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import dev.puna.CacheType;
import dev.puna.Chat;
import dev.puna.Context;
import dev.puna.ContextOptions;
import dev.puna.Generator;
import dev.puna.Message;
import dev.puna.Model;
import dev.puna.ModelPool;
import dev.puna.Observer;
import dev.puna.Profiler;
import dev.puna.Sampler;
import dev.puna.misuse.Ground.Host;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** What a player can do. */
final class Moves extends Talks {
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
                new Move("profile", 2, this::profile),
                new Move("readProfile", 4, this::readProfile),
                new Move("endProfile", 2, () -> close(ground.profilers)),
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

    private void trim() throws Exception {
        small = true;
        with(ground.hosts, host -> {
            if (host.value.generator() instanceof Context context) {
                context.trim();
            }
        });
    }

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

    private void profile() throws Exception {
        small = true;
        with(
                ground.hosts,
                host -> ground.profilers.add(new Thing<>(host.value.generator().profile(), host, Profiler::close)));
    }

    private void readProfile() throws Exception {
        with(ground.profilers, profiler -> {
            if (random.nextInt(3) == 0) {
                profiler.value.restart();
            }
            Objects.requireNonNull(profiler.value.read().phases().toString());
        });
    }

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
        ground.profilers.take(random);
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
