// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import dev.puna.CacheType;
import dev.puna.Chat;
import dev.puna.Generator;
import dev.puna.Model;
import dev.puna.ModelPool;
import dev.puna.Observer;
import dev.puna.Piece;
import dev.puna.Profiler;
import dev.puna.Reply;
import dev.puna.TextStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What all players share: the things that are there, what is known, and what went wrong. Any thread. */
final class Ground {
    /** Some things of a kind. One that does not fit any more takes the oldest one's place, which is closed. */
    static final class Bag<T> {
        private final List<Thing<T>> things = new ArrayList<>();
        private final int most;

        Bag(int most) {
            this.most = most;
        }

        void add(Thing<T> thing) {
            Thing<T> old;
            synchronized (this) {
                old = things.size() < most ? null : things.removeFirst();
                things.add(thing);
            }
            if (old != null) {
                old.close();
            }
        }

        synchronized @Nullable Thing<T> any(Random random) {
            return things.isEmpty() ? null : things.get(random.nextInt(things.size()));
        }

        /** Takes one out: closed by the caller, or forgotten. */
        synchronized @Nullable Thing<T> take(Random random) {
            return things.isEmpty() ? null : things.remove(random.nextInt(things.size()));
        }

        synchronized void remove(Thing<T> thing) {
            things.remove(thing);
        }

        void closeAll() {
            List<Thing<T>> all;
            synchronized (this) {
                all = List.copyOf(things);
                things.clear();
            }
            all.forEach(Thing::close);
        }
    }

    /** A generator, and how it keeps keys and values: answers depend on that. */
    record Host(Generator generator, CacheType type) {}

    /** A running generation, and which question it answers; -1: none that is known. */
    record Running(TextStream stream, CacheType type, int question) {}

    /** An iterator over one's pieces. */
    record Reading(Iterator<Piece> pieces) {}

    final Path file;
    final Path withTools;
    final Answers answers;
    final Bag<Model> models = new Bag<>(3);
    final Bag<Host> hosts = new Bag<>(10); // models and contexts
    final Bag<Chat> chats = new Bag<>(24);
    final Bag<byte[]> saved = new Bag<>(8); // chats
    final Bag<Running> streams = new Bag<>(24);
    final Bag<Reading> readings = new Bag<>(24);
    final Bag<CompletableFuture<Reply>> futures = new Bag<>(12);
    final Bag<Observer.Registration> watches = new Bag<>(8);
    final Bag<Profiler> profilers = new Bag<>(8);
    final Bag<ModelPool> pools = new Bag<>(2);
    final Bag<ModelPool.Lease> leases = new Bag<>(6);
    final Map<String, AtomicLong> counts = new ConcurrentHashMap<>();
    final ConcurrentLinkedQueue<Throwable> wrong = new ConcurrentLinkedQueue<>();
    volatile boolean over;

    Ground(Path file, Path withTools, Answers answers) {
        this.file = file;
        this.withTools = withTools;
        this.answers = answers;
    }

    void count(String what) {
        counts.computeIfAbsent(what, name -> new AtomicLong()).incrementAndGet();
    }

    /** In no order that anybody would choose. */
    void closeAll() {
        models.closeAll();
        leases.closeAll();
        pools.closeAll();
        chats.closeAll();
        futures.closeAll();
        hosts.closeAll();
        readings.closeAll();
        watches.closeAll();
        profilers.closeAll();
        streams.closeAll();
    }
}
