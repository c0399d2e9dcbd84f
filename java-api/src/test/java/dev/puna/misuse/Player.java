// SPDX-License-Identifier: Apache-2.0
package dev.puna.misuse;

import dev.puna.BusyException;
import dev.puna.ClosedException;
import dev.puna.ContextFullException;
import dev.puna.GenerationInterruptedException;
import dev.puna.IncompleteAnswerException;
import dev.puna.InsufficientMemoryException;
import dev.puna.PunaException;
import dev.puna.ToolException;
import dev.puna.UnsupportedModelException;
import dev.puna.misuse.Ground.Bag;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One thread that does whatever comes to its mind with whatever is there. What it is refused must be among what the API
 * documents for what it did; an answer must be the known one.
 */
abstract class Player implements Runnable {
    /** Thrown by what we hand in. */
    static final class Planted extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** One thing that can be done. */
    record Move(String name, int weight, Action action) {}

    /** What a move does. */
    interface Action {
        void run() throws Exception;
    }

    final Ground ground;
    final Random random;
    private final List<Player> others;
    private volatile @Nullable Thread thread;
    private int interrupts; // guarded by this
    volatile String doing = "nothing";
    volatile long since = System.nanoTime();

    // of the move that runs
    @Nullable
    Thing<?> on;

    boolean bad; // an argument is wrong on purpose
    boolean planted; // something was handed in that throws
    boolean small; // memory or context may be too small

    Player(Ground ground, long seed, List<Player> others) {
        this.ground = ground;
        this.random = new Random(seed);
        this.others = others;
    }

    /** All that can be done. */
    abstract List<Move> moves();

    @Override
    public void run() {
        thread = Thread.currentThread();
        List<Move> moves = moves();
        int all = moves.stream().mapToInt(Move::weight).sum();
        while (!ground.over && ground.wrong.isEmpty()) {
            int at = random.nextInt(all);
            int i = 0;
            while (at >= moves.get(i).weight) {
                at -= moves.get(i++).weight;
            }
            play(moves.get(i));
        }
        doing = "nothing";
    }

    private void play(Move move) {
        int before;
        synchronized (this) {
            before = interrupts;
            Thread.interrupted();
        }
        on = null;
        bad = planted = small = false;
        since = System.nanoTime();
        doing = move.name;
        String end = "";
        try {
            if (random.nextInt(40) == 0) {
                interrupted();
            }
            move.action.run();
        } catch (Throwable e) {
            Throwable cause = unwrapped(e);
            boolean wasInterrupted;
            synchronized (this) {
                wasInterrupted = interrupts != before;
            }
            end = " " + cause.getClass().getSimpleName();
            if (!documented(cause, wasInterrupted)) {
                ground.wrong.add(new AssertionError(
                        move.name + " was refused by what nobody documents; closed: " + (on != null && on.mayBeClosed())
                                + ", interrupted: " + wasInterrupted + ", bad: " + bad,
                        cause));
            }
        }
        ground.count(move.name + end);
    }

    private static Throwable unwrapped(Throwable e) {
        Throwable cause = e;
        while (cause instanceof CompletionException || cause instanceof ExecutionException) {
            cause = Objects.requireNonNullElse(cause.getCause(), new AssertionError(cause));
        }
        return cause;
    }

    private boolean documented(Throwable e, boolean wasInterrupted) {
        String message = String.valueOf(e.getMessage());
        return switch (e) {
            case Planted _ -> planted;
            case ClosedException _ -> on != null && on.mayBeClosed();
            case GenerationInterruptedException _ -> wasInterrupted || doing.equals("hook"); // which interrupts itself
            case BusyException _, ContextFullException _ -> true;
            case InsufficientMemoryException _ -> small;
            case IncompleteAnswerException _, ToolException _ -> doing.equals("value") || doing.equals("tools");
            case UnsupportedModelException _ -> doing.equals("tools");
            case PunaException _ ->
                (wasInterrupted && message.contains("interrupted"))
                        || (doing.equals("restore")
                                && (message.contains("with another model")
                                        || (bad && message.contains("is no saved chat"))));
            case IllegalArgumentException _ -> bad;
            case CancellationException _, TimeoutException _ -> doing.equals("future");
            case IllegalStateException _ ->
                message.startsWith("the stream was read already")
                        || message.startsWith("the chat is still answering")
                        || message.startsWith("there is no answer to take back");
            case NoSuchElementException _ -> doing.equals("read");
            case InterruptedException _ -> wasInterrupted;
            default -> false;
        };
    }

    /** What a move does with one thing. */
    interface Use<T> {
        void of(Thing<T> thing) throws Exception;
    }

    <T> void with(Bag<T> bag, Use<T> use) throws Exception {
        Thing<T> thing = bag.any(random);
        if (thing == null) {
            return;
        }
        on = thing;
        try {
            use.of(thing);
        } catch (ClosedException e) {
            if (thing.mayBeClosed() && random.nextInt(4) > 0) {
                bag.remove(thing); // else nothing but closed things would be left soon
                thing.close();
            }
            throw e;
        }
    }

    /** Most of what is closed goes; the rest stays to be used and closed again. */
    <T> void close(Bag<T> bag) {
        Thing<T> thing = random.nextInt(4) == 0 ? bag.any(random) : bag.take(random);
        if (thing != null) {
            thing.close();
        }
    }

    private synchronized void interrupted() {
        interrupts++;
        Thread known = thread;
        if (known != null && !ground.over) {
            known.interrupt();
        }
    }

    void interrupt() {
        others.get(random.nextInt(others.size())).interrupted();
    }

    int pick(int... values) {
        return values[random.nextInt(values.length)];
    }
}
