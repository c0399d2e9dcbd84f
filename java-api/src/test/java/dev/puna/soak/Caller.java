// SPDX-License-Identifier: Apache-2.0
package dev.puna.soak;

import dev.puna.BusyException;
import dev.puna.ClosedException;
import dev.puna.Context;
import dev.puna.GenerationInterruptedException;
import dev.puna.Model;
import dev.puna.Piece;
import dev.puna.Reply;
import dev.puna.TextStream;
import java.time.Duration;
import java.util.Iterator;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** One of many, on a virtual thread: asks, reads, changes its mind, walks away, talks, until the time is up. */
final class Caller implements Runnable {
    private final Model model;
    private final Context context;
    private final Ledger ledger;
    private final Random random;
    private final long end; // by System.nanoTime
    private @Nullable Talk talk;
    private boolean refused; // the last time

    Caller(Model model, Context context, Ledger ledger, long seed, long end) {
        this.model = model;
        this.context = context;
        this.ledger = ledger;
        this.random = new Random(seed);
        this.end = end;
    }

    @Override
    public void run() {
        try {
            while (System.nanoTime() - end < 0) {
                act();
                think();
            }
        } catch (InterruptedException e) {
            ledger.fault("a caller was interrupted by somebody else");
        } catch (RuntimeException | Error e) {
            ledger.fault("a caller failed: " + e);
        } finally {
            hangUp();
        }
    }

    private void act() throws InterruptedException {
        int choice = random.nextInt(100);
        if (choice < 30) {
            Questions.Asked asked = Questions.prompt(context, random);
            attempt(asked.key(), false, () -> asked.request().reply());
        } else if (choice < 38) {
            readAll();
        } else if (choice < 46) {
            cancel();
        } else if (choice < 52) {
            Questions.Asked asked = Questions.endless(context, random);
            Duration soon = Duration.ofMillis(1 + random.nextInt(40));
            attempt(asked.key(), false, () -> asked.request().timeout(soon).reply());
        } else if (choice < 55) {
            abandon();
        } else if (choice < 58) {
            later();
        } else if (choice < 61) {
            interruptMyself();
        } else if (choice < 62) {
            closeAContext();
        } else {
            talk();
        }
    }

    private void think() throws InterruptedException {
        if (refused) {
            Thread.sleep(100 + random.nextInt(400));
        } else if (random.nextInt(4) == 0) {
            Thread.sleep(random.nextInt(60));
        }
        refused = false;
    }

    /**
     * Counts a request and how it ends.
     *
     * @param closes whether something may be closed meanwhile
     * @param act null: its caller does not know how it ended
     * @return whether there is a whole answer
     */
    private boolean attempt(String key, boolean closes, Callable<@Nullable Reply> act) {
        ledger.asked();
        try {
            Reply reply = act.call();
            if (reply == null) {
                ledger.ended(Outcome.ABANDONED);
                return false;
            }
            ledger.ended(key, reply);
            return switch (reply.stopReason()) {
                case CANCELLED, TIMEOUT -> false;
                default -> true;
            };
        } catch (BusyException e) {
            ledger.ended(Outcome.REFUSED);
            refused = true;
        } catch (GenerationInterruptedException e) {
            ledger.ended(Outcome.INTERRUPTED);
            Reply partial = e.partial();
            if (partial != null) {
                ledger.answered(key, partial);
            }
        } catch (ClosedException e) {
            if (closes) {
                ledger.ended(Outcome.CLOSED);
            } else {
                ledger.fault(key + " found something closed: " + e);
            }
        } catch (Exception | Error e) {
            ledger.fault(key + " failed: " + e);
        }
        return false;
    }

    private void readAll() {
        Questions.Asked asked = Questions.prompt(context, random);
        attempt(asked.key(), false, () -> {
            try (TextStream stream = asked.request().stream()) {
                StringBuilder text = new StringBuilder();
                for (Piece piece : stream) {
                    text.append(piece.text());
                }
                Reply reply = stream.reply();
                if (!text.toString().equals(reply.text())) {
                    ledger.fault(asked.key() + ": its pieces are not its text: " + text + " / " + reply.text());
                }
                return reply;
            }
        });
    }

    private void cancel() {
        Questions.Asked asked = Questions.endless(context, random);
        int pieces = random.nextInt(30);
        attempt(asked.key(), false, () -> {
            try (TextStream stream = asked.request().stream()) {
                read(stream, pieces);
                stream.cancel();
                return stream.reply();
            }
        });
    }

    private static void read(TextStream stream, int pieces) {
        Iterator<Piece> some = stream.iterator();
        for (int i = 0; i < pieces && some.hasNext(); i++) {
            some.next();
        }
    }

    /** Half of them are closed; the others are found out when nobody holds them any more. */
    private void abandon() {
        Questions.Asked asked = Questions.endless(context, random);
        int pieces = random.nextInt(6);
        boolean closes = random.nextBoolean();
        attempt(asked.key(), false, () -> {
            TextStream stream = asked.request().stream();
            read(stream, pieces);
            if (closes) {
                stream.close();
            }
            return null;
        });
    }

    private void later() {
        Questions.Asked asked =
                random.nextBoolean() ? Questions.endless(context, random) : Questions.prompt(context, random);
        boolean cancels = random.nextBoolean();
        attempt(asked.key(), false, () -> {
            CompletableFuture<Reply> future = asked.request().async();
            if (cancels) {
                Thread.sleep(random.nextInt(10));
                return future.cancel(true) ? null : future.join();
            }
            try {
                return future.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        });
    }

    private void interruptMyself() {
        Questions.Asked asked = Questions.endless(context, random);
        int delay = random.nextInt(30);
        Thread self = Thread.currentThread();
        Thread helper = Thread.startVirtualThread(() -> {
            try {
                Thread.sleep(delay);
            } catch (InterruptedException e) {
                return;
            }
            self.interrupt();
        });
        attempt(asked.key(), false, () -> asked.request().reply());
        while (helper.isAlive()) {
            try {
                helper.join();
            } catch (InterruptedException e) {
                Thread.onSpinWait(); // that was it: it ends now
            }
        }
        Thread.interrupted();
    }

    /** A context of its own that ends while it answers. */
    private void closeAContext() throws InterruptedException {
        Context own = model.newContext(o -> o.maxSequences(2).contextLength(Soak.POSITIONS));
        Questions.Asked asked = Questions.endless(own, random);
        int delay = random.nextInt(20);
        Thread closer = Thread.startVirtualThread(() -> {
            try {
                Thread.sleep(delay);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            own.close();
        });
        attempt(asked.key(), true, () -> asked.request().reply());
        closer.join();
    }

    private void talk() throws InterruptedException {
        Talk now = talk;
        if (now == null || now.isOver() || random.nextInt(12) == 0) {
            hangUp();
            now = Talk.open(context, random);
            talk = now;
        }
        int choice = random.nextInt(20);
        if (choice == 0 && now.hasAnswers()) {
            now.rewind();
        } else if (choice == 1 && now.hasAnswers()) {
            Talk goesOn = now;
            if (!attempt(now.key(), false, () -> goesOn.again().reply())) {
                now.takeBack();
            }
        } else if (choice < 5) {
            Talk fork = now.fork();
            say(now, 0);
            now.close();
            talk = fork;
            say(fork, 1);
        } else if (choice == 5) {
            closeWhileItAnswers(now);
        } else {
            say(now, random.nextInt(Questions.WAYS));
        }
    }

    private void say(Talk now, int way) {
        int choice = random.nextInt(10);
        var turn = now.say(way);
        String key = now.key();
        boolean whole = choice > 1
                ? attempt(key, false, turn::reply)
                : attempt(key, false, () -> {
                    if (choice == 0) {
                        return turn.timeout(Duration.ofMillis(1 + random.nextInt(20)))
                                .reply();
                    }
                    try (TextStream stream = turn.stream()) {
                        read(stream, random.nextInt(4));
                        stream.cancel();
                        return stream.reply();
                    }
                });
        if (!whole) {
            now.takeBack();
        }
    }

    private void closeWhileItAnswers(Talk now) throws InterruptedException {
        var turn = now.say(0);
        int delay = random.nextInt(10);
        Thread closer = Thread.startVirtualThread(() -> {
            try {
                Thread.sleep(delay);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            now.close();
        });
        attempt(now.key(), true, turn::reply);
        closer.join();
        talk = null;
    }

    private void hangUp() {
        Talk last = talk;
        if (last != null) {
            last.close();
        }
        talk = null;
    }
}
