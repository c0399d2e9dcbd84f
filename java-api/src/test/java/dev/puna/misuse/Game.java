// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import dev.puna.Machine;
import dev.puna.Model;
import dev.puna.ModelFile;
import dev.puna.testing.Altered;
import dev.puna.testing.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * Players, half of them on virtual threads, do anything with the whole API, in any order, to the same things: load,
 * ask, stream, read, cancel, fork, rewind, observe, lend, interrupt each other, close twice and before its time, hand
 * in what throws, forget. Afterwards only what is documented may have been thrown, nothing may hang, every answer must
 * be the quiet one, all memory of the library must be back, and no thread of it be left. Needs nothing but Java: it
 * also runs as a program, on a virtual machine of the caller's choice.
 */
final class Game {
    private static final int PLAYERS = Integer.getInteger("puna.misuse.players", 12);
    /** A move that takes longer hangs; a whole answer takes some milliseconds. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(Integer.getInteger("puna.misuse.patience", 60));

    private static final List<Object> LOGS = new CopyOnWriteArrayList<>();

    private Game() {}

    /**
     * Plays as a program: ends with status 1 where something broke.
     *
     * @param arguments seconds, and a seed if it is known
     */
    public static void main(String[] arguments) throws Exception {
        int seconds = Integer.parseInt(arguments[0]);
        long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : System.nanoTime();
        Path folder = Files.createTempDirectory("puna-misuse");
        try {
            Map<String, Long> counts = play(folder, seconds, new Random(seed));
            long moves = counts.values().stream().mapToLong(Long::longValue).sum();
            System.out.println("misuse: library built by " + Machine.current().libraryBuild());
            System.out.println("misuse: seed " + seed + ", " + moves + " moves, " + counts.get("whole answers")
                    + " whole answers, " + counts.get("beginnings of answers") + " beginnings, "
                    + counts.get("whole turns") + " turns: nothing broke");
        } catch (AssertionError e) {
            e.printStackTrace();
            System.err.println("misuse: seed " + seed + " broke something");
            System.exit(1);
        } finally {
            Files.deleteIfExists(folder.resolve("tools.gguf"));
            Files.delete(folder);
        }
    }

    /** Whether the library's log is shown: what is forgotten fills pages. Java's own logging is no module of ours. */
    private static void show(boolean shown) throws ReflectiveOperationException {
        Class<?> loggers = Class.forName("java.util.logging.Logger");
        Object log = loggers.getMethod("getLogger", String.class).invoke(null, "dev.puna");
        loggers.getMethod("setUseParentHandlers", boolean.class).invoke(log, shown);
        LOGS.add(log); // Java forgets one that nobody holds
    }

    /** The tiny model, saying that it knows of tools; its answers are the same. */
    private static Path toolModel(Path folder) throws IOException {
        String template;
        try (ModelFile file = ModelFile.open(Models.TINY)) {
            template = file.metadata().stream()
                    .filter(entry -> entry.key().equals("tokenizer.chat_template"))
                    .map(entry -> (String) entry.value(0))
                    .findFirst()
                    .orElseThrow();
        }
        String comment = "{# tools <tool_call>          #}"; // 32 bytes, so that nothing is filled up
        return Altered.template(Models.TINY, folder.resolve("tools.gguf"), template + comment);
    }

    /**
     * Plays.
     *
     * @param folder for a file
     * @param seconds for how long
     * @param random gives each player its moves
     * @return how often each move ended in which way
     * @throws AssertionError if something broke
     * @throws Exception if the game itself fails
     */
    static Map<String, Long> play(Path folder, int seconds, Random random) throws Exception {
        settled(Long.MAX_VALUE);
        long before = Machine.nativeMemory();
        long enginesBefore = engines();
        Answers answers;
        try (Model quiet = Model.load(Models.TINY)) {
            answers = new Answers(quiet);
        }
        Ground ground = new Ground(Models.TINY, toolModel(folder), answers);
        show(false);
        try {
            play(ground, seconds, random);
        } finally {
            show(true);
        }
        long after = settled(before);
        demand(after <= before, "all is closed, but the library holds " + after + " bytes; before: " + before);
        demand(engines() <= enginesBefore, "engines' threads are left");
        Map<String, Long> counts = new TreeMap<>();
        ground.counts.forEach((what, count) -> counts.put(what, count.get()));
        return counts;
    }

    private static void demand(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    private static void play(Ground ground, int seconds, Random random) throws InterruptedException {
        List<Player> players = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < PLAYERS; i++) {
            players.add(new Moves(ground, random.nextLong(), players));
        }
        for (int i = 0; i < PLAYERS; i++) {
            Thread.Builder builder = i % 2 == 0 ? Thread.ofPlatform().daemon() : Thread.ofVirtual();
            threads.add(builder.name("player-" + i).start(players.get(i)));
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < end && ground.wrong.isEmpty()) {
            Thread.sleep(50);
            watch(players);
        }
        ground.over = true;
        while (threads.stream().anyMatch(Thread::isAlive)) {
            Thread.sleep(20);
            watch(players);
        }
        Thread closer = Thread.ofPlatform().daemon().start(ground::closeAll);
        closer.join(PATIENCE_NANOS / 1_000_000);
        demand(!closer.isAlive(), "closing everything hangs; all threads: " + stacks());
        if (!ground.wrong.isEmpty()) {
            AssertionError all = new AssertionError(ground.wrong.size() + " mistakes; " + new TreeMap<>(ground.counts));
            ground.wrong.stream().limit(5).forEach(all::addSuppressed);
            throw all;
        }
    }

    private static void watch(List<Player> players) {
        for (Player player : players) {
            String doing = player.doing;
            boolean late = System.nanoTime() - player.since > PATIENCE_NANOS;
            demand(doing.equals("nothing") || !late, "'" + doing + "' hangs; all threads: " + (late ? stacks() : ""));
        }
    }

    private static String stacks() {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<Thread, StackTraceElement[]> entry :
                Thread.getAllStackTraces().entrySet()) {
            text.append('\n').append(entry.getKey().getName());
            for (StackTraceElement element : entry.getValue()) {
                text.append("\n    ").append(element);
            }
        }
        return text.toString();
    }

    /**
     * The library's bytes once nothing that was forgotten is left to be cleaned: as few as hoped for, or all that go.
     */
    private static long settled(long hoped) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(hoped == Long.MAX_VALUE ? 1 : 30);
        long now = Machine.nativeMemory();
        long last = -1;
        while (System.nanoTime() < end && (hoped == Long.MAX_VALUE ? now != last : now > hoped)) {
            last = now;
            System.gc();
            Thread.sleep(50);
            now = Machine.nativeMemory();
        }
        return now;
    }

    private static long engines() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("puna-engine"))
                .count();
    }
}
