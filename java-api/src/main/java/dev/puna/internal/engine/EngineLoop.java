// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.ClosedException;
import dev.puna.bindings.NativeClosedException;
import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeEngineInfo;
import dev.puna.bindings.NativeEvent;
import dev.puna.bindings.NativeException;
import dev.puna.internal.Core;
import dev.puna.internal.Failures;
import dev.puna.internal.jfr.PromptEvent;
import dev.puna.internal.jfr.StepEvent;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an engine's thread does: it reads its mail, tells the core what callers and the clock want, has it compute a
 * step, and hands out what came of that. That thread's alone, but for {@link #last}.
 *
 * <p>Invariant: every generation that was started ends, by an outcome or a failure, also when the engine closes or
 * breaks.
 */
final class EngineLoop {
    private static final Logger LOG = LoggerFactory.getLogger(EngineLoop.class);

    /** How long a logits hook may think before its sequence gives up its place in the batch, and perhaps its pages. */
    private static final long HOOK_PATIENCE = TimeUnit.MILLISECONDS.toNanos(100);

    private final NativeEngine engine;
    private final Mailbox mail;
    private final Taps taps;
    private final Map<Long, Generation> generations = new HashMap<>();
    private boolean resting; // nothing goes on before a message or an alarm
    private boolean following; // it has not waited since the last step
    private long stepped; // when that ended, by System.nanoTime
    private @Nullable Long alarm; // when a deadline or a patience ends, by System.nanoTime
    private volatile @Nullable NativeEngineInfo last; // how it was when it closed

    EngineLoop(NativeEngine engine, Mailbox mail, Taps taps) {
        this.engine = engine;
        this.mail = mail;
        this.taps = taps;
    }

    /** How the engine was when it closed; null before. Any thread. */
    @Nullable
    NativeEngineInfo last() {
        return last;
    }

    /** Until the mailbox is closed, or something breaks. */
    void run() {
        try {
            while (!mail.isClosed()) {
                takeMessages();
                if (!generations.isEmpty() && !mail.isClosed()) {
                    step();
                }
            }
        } catch (InterruptedException e) {
            LOG.warn("the engine's thread was interrupted; the context closes", e);
        } catch (NativeClosedException e) {
            LOG.debug("the model was closed while the engine was at work", e);
        } catch (RuntimeException | Error e) {
            LOG.error("the engine's thread failed; the context closes", e);
        } finally {
            shutDown();
        }
    }

    /** Takes what is there, waiting for it when the engine has nothing to do. */
    private void takeMessages() throws InterruptedException {
        for (Runnable message = firstMessage(); message != null; message = mail.poll()) {
            message.run();
        }
        mail.runWhile(this::isQuiet);
        attend();
    }

    private @Nullable Runnable firstMessage() throws InterruptedException {
        if (resting) {
            attend(); // what was shown in the last step has its alarm, too
        }
        boolean idle = generations.isEmpty() || resting;
        if (!idle || (mail.wantsQuiet() && isQuiet())) {
            return mail.poll();
        }
        resting = false; // whatever comes, a step looks at it
        following = false;
        return mail.await(generations.isEmpty() ? null : alarm);
    }

    /** Does the core compute for nobody? */
    private boolean isQuiet() {
        return generations.values().stream().allMatch(g -> g.paused);
    }

    /** Submits a generation; it is accepted, or fails. */
    void start(Generation g) {
        try {
            if (g.slot.released) {
                throw new ClosedException("the chat is closed");
            }
            if (!g.slot.open) {
                g.slot.id = engine.openSequence();
                g.slot.open = true;
            }
            engine.generate(g.slot.id, g.ids, g.settings);
            generations.put(g.slot.id, g);
            PromptEvent event = new PromptEvent();
            event.tokens = g.ids.length;
            event.requests = generations.size();
            event.commit();
            g.accept();
        } catch (RuntimeException e) {
            if (g.slot.once) {
                close(g.slot);
            }
            g.fail(Failures.of(e));
        }
    }

    /** Gives back a slot's sequence; what runs in it fails. */
    void close(Slot slot) {
        if (slot.open) {
            slot.open = false;
            Generation running = generations.remove(slot.id);
            if (running != null) {
                running.fail(new ClosedException("the chat was closed while it generated"));
            }
            engine.closeSequence(slot.id);
        }
    }

    /** Tells the core what callers and the clock want: answers of hooks, cancellations, pauses. */
    private void attend() {
        alarm = null;
        if (generations.isEmpty()) {
            return;
        }
        long now = System.nanoTime();
        for (Generation g : generations.values()) {
            choose(g);
            boolean late = g.deadline != Long.MAX_VALUE && g.deadline - now <= 0;
            if ((g.cancelWanted || late) && !g.cancelTold) {
                g.cancelTold = true;
                g.timedOut = late && !g.cancelWanted;
                engine.cancel(g.slot.id); // which resumes it
                g.paused = false;
                resting = false;
            }
            if (!g.cancelTold) {
                pause(g, now);
            }
        }
    }

    /** The token is chosen from what a hook has left. */
    private void choose(Generation g) {
        float[] row = g.takeAnswer();
        if (row == null || g.cancelTold) {
            return;
        }
        g.asking = false;
        resting = false;
        try {
            engine.choose(g.slot.id, row);
        } catch (NativeException e) {
            g.abort(new IllegalArgumentException("a logits hook left nothing to choose from: " + e.getMessage(), e));
        }
    }

    /** A hook that thinks long, and a reader who lags, hold back nobody else. */
    private void pause(Generation g, long now) {
        if (g.deadline != Long.MAX_VALUE) {
            wakeAt(g.deadline);
        }
        if (g.asking && !g.paused) {
            if (now - g.asked < HOOK_PATIENCE) {
                wakeAt(g.asked + HOOK_PATIENCE);
            } else {
                hold(g);
            }
        } else if (g.paused && !g.asking && g.isCaughtUp()) {
            engine.resume(g.slot.id);
            g.paused = false;
            resting = false;
        }
    }

    private void hold(Generation g) {
        engine.pause(g.slot.id);
        g.paused = true;
        resting = false; // others may have its place
    }

    private void wakeAt(long time) {
        Long before = alarm;
        alarm = before == null || time - before < 0 ? (Long) time : before;
    }

    /** A step that follows another one at once lasts from that one's end: what it costs to hand out tokens is in it. */
    private void step() {
        StepEvent event = new StepEvent();
        event.begin();
        NativeEngine.Step step;
        long begun = following ? stepped : System.nanoTime();
        try {
            step = engine.step();
        } catch (NativeException e) {
            failAll(Failures.of(e));
            return;
        }
        event.sequences = step.sequences();
        event.promptTokens = step.promptTokens();
        event.tokens = step.tokens();
        event.active = step.active();
        event.commit();
        stepped = System.nanoTime();
        following = true;
        long took = stepped - begun;
        taps.step(step, took);
        for (NativeEvent e = engine.nextEvent(); e != null; e = engine.nextEvent()) {
            dispatch(e);
        }
        resting = step.active() == 0 || (step.sequences() == 0 && step.events() == 0);
        if (resting) {
            Core.drainLog();
        }
    }

    private void dispatch(NativeEvent event) {
        Generation g = generations.get(event.sequence());
        if (g == null) {
            return;
        }
        switch (event) {
            case NativeEvent.Token token -> {
                boolean ahead = g.token(token);
                if (ahead && !g.paused && !g.cancelTold) {
                    hold(g);
                }
            }
            case NativeEvent.Logits shown -> g.ask(shown.values());
            case NativeEvent.Finished finished -> finish(g, finished);
        }
    }

    private void finish(Generation g, NativeEvent.Finished finished) {
        generations.remove(g.slot.id);
        if (g.slot.once) {
            close(g.slot);
        }
        Ended.record(finished);
        taps.ended(finished, g.timedOut);
        if (finished.stop() == NativeEvent.Stop.FAILED) {
            g.fail(Failures.of(Ended.failure(finished)));
        } else {
            g.finish(finished);
        }
    }

    private void failAll(RuntimeException why) {
        LOG.warn("a step failed; {} generations end", generations.size(), why);
        for (Generation g : List.copyOf(generations.values())) {
            generations.remove(g.slot.id);
            g.slot.open = false;
            try {
                engine.closeSequence(g.slot.id);
            } catch (RuntimeException e) {
                LOG.debug("closing a sequence after a failed step", e);
            }
            g.fail(why);
        }
    }

    private void shutDown() {
        mail.close();
        for (Generation g : List.copyOf(generations.values())) {
            g.fail(Mailbox.closed());
        }
        generations.clear();
        remember();
        taps.over();
        engine.close();
        mail.refuse();
        Core.drainLog();
    }

    /** The last figures, for those who still look. */
    private void remember() {
        try {
            last = engine.info();
        } catch (NativeClosedException e) {
            LOG.debug("the model was closed before its engine", e);
        }
    }
}
