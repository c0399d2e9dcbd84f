// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.engine;

import dev.puna.BusyException;
import dev.puna.ClosedException;
import dev.puna.GenerationInterruptedException;
import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeClosedException;
import dev.puna.bindings.NativeEmbedding;
import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeEvent;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeInput;
import dev.puna.bindings.NativeProfile;
import dev.puna.bindings.NativeState;
import dev.puna.bindings.NativeStatus;
import dev.puna.bindings.NativeTask;
import dev.puna.internal.Core;
import dev.puna.internal.Failures;
import dev.puna.internal.Platform;
import dev.puna.internal.jfr.PromptEvent;
import dev.puna.internal.jfr.StepEvent;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that drives an engine: a daemon on the platform. Everybody else sends it messages and parks.
 *
 * <p>It holds no object of the API, so that a forgotten context or stream can be found out; no listener runs on it.
 * Invariant: every generation that was submitted ends, by an outcome or a failure, also when the engine closes or
 * breaks.
 */
public final class EngineThread {
    private static final Logger LOG = LoggerFactory.getLogger(EngineThread.class);

    /** How long a logits hook may think before its sequence gives up its place in the batch, and perhaps its pages. */
    private static final long HOOK_PATIENCE = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long EMBED_TOKENS = 4096; // of texts that are embedded in one go: others may wait for its end

    private final NativeEngine engine;
    private final LinkedBlockingQueue<Runnable> messages = new LinkedBlockingQueue<>();
    private final Map<Long, Generation> generations = new HashMap<>();
    private final ArrayDeque<Runnable> whenQuiet = new ArrayDeque<>();
    private final Set<NativeTask> tasks = ConcurrentHashMap.newKeySet(); // that closing cancels
    private final List<Tap> taps = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private @Nullable Object profiler; // this thread: who takes its time
    private boolean resting; // this thread: nothing goes on before a message or an alarm
    private boolean following; // this thread: it has not waited since the last step
    private long stepped; // this thread: when that ended, by System.nanoTime
    private @Nullable Long alarm; // this thread: when a deadline or a patience ends, by System.nanoTime
    private final Object gate = new Object();
    private boolean closing; // guarded by gate: later messages are refused
    private boolean over; // guarded by gate: no tap is told anything any more
    private NativeEngine.@Nullable Info last; // guarded by gate: how it was when it closed

    private EngineThread(NativeEngine engine) {
        this.engine = engine;
        this.thread = Platform.start("engine", this::run);
    }

    /**
     * Takes over an engine.
     *
     * @param engine whose driver this is from now on
     * @return the running thread
     */
    public static EngineThread drive(NativeEngine engine) {
        return new EngineThread(engine);
    }

    /** {@return the engine's state, a snapshot} */
    public NativeEngine.Info info() {
        return Failures.mapped(() -> ask(engine::info));
    }

    /**
     * The engine's state at once, whatever the thread is doing; of a closed engine as it was at the end.
     *
     * @return a snapshot
     */
    public NativeEngine.Info figures() {
        try {
            return engine.info();
        } catch (NativeClosedException e) {
            synchronized (gate) {
                if (last != null) {
                    return last;
                }
            }
            throw Failures.of(e);
        }
    }

    /**
     * Tells somebody what happens from now on.
     *
     * @param tap told on the engine's thread; at once that it is over, if the engine is closed
     */
    public void add(Tap tap) {
        boolean told;
        synchronized (gate) {
            told = over;
            if (!told) {
                taps.add(tap);
            }
        }
        if (told) {
            tap.over();
        }
    }

    /**
     * Tells somebody nothing any more.
     *
     * @param tap which
     */
    public void remove(Tap tap) {
        taps.remove(tap);
    }

    /**
     * Submits a generation; it is accepted, or fails, soon.
     *
     * @param generation a new one
     */
    public void submit(Generation generation) {
        generation.drivenBy(this);
        if (!send(() -> start(generation))) {
            throw closed();
        }
    }

    /** Has the thread look at what became of its generations. */
    void wake() {
        send(() -> {});
    }

    /**
     * Ends a generation soon.
     *
     * @param generation which; may have ended
     */
    public void cancel(Generation generation) {
        generation.cancel();
        wake(); // closed: everything has ended
    }

    /** Gives back all pages that nobody computes with. */
    public void trim() {
        Failures.mapped(() -> ask(() -> {
            engine.trim();
            return true;
        }));
    }

    /**
     * Takes the engine's time from now on, between two steps.
     *
     * @param who wants it; nobody else ends or reads it
     * @throws BusyException if somebody else does
     */
    public void beginProfile(Object who) {
        Failures.mapped(() -> ask(() -> {
            if (profiler != null) {
                throw new BusyException("this context is profiled already: close that profiler first");
            }
            NativeProfile.watch(engine, true);
            profiler = who;
            return true;
        }));
    }

    /**
     * Begins again from zero what {@link #beginProfile} began.
     *
     * @param who began it
     * @throws ClosedException if it was ended
     */
    public void restartProfile(Object who) {
        Failures.mapped(() -> ask(() -> {
            checkProfiler(who);
            NativeProfile.watch(engine, true);
            return true;
        }));
    }

    /**
     * Where the time went since then.
     *
     * @param who began it
     * @return a snapshot between two steps
     * @throws ClosedException if it was ended
     */
    public NativeProfile profile(Object who) {
        return Failures.mapped(() -> ask(() -> {
            checkProfiler(who);
            return NativeProfile.read(engine);
        }));
    }

    private void checkProfiler(Object who) {
        if (profiler != who) {
            throw new ClosedException("the profiler is closed");
        }
    }

    /**
     * Ends what {@link #beginProfile} began, soon.
     *
     * @param who began it
     */
    public void endProfile(Object who) {
        send(() -> {
            if (profiler == who) {
                NativeProfile.watch(engine, false);
                profiler = null;
            }
        });
    }

    /**
     * Gives back a slot's sequence.
     *
     * @param slot not used any more
     */
    public void release(Slot slot) {
        send(() -> {
            slot.released = true;
            close(slot);
        });
    }

    /**
     * Gives a slot a fork of another one's sequence, soon: before all that is sent from now on. Where that can't be, it
     * begins without one, and computes again what it needs.
     *
     * @param from any
     * @param to that has no sequence yet
     */
    public void fork(Slot from, Slot to) {
        send(() -> {
            if (!from.open || to.open || to.released) {
                return;
            }
            try {
                to.id = engine.fork(from.id);
                to.open = true;
            } catch (NativeException e) {
                LOG.debug("a chat's fork begins without what it shares", e);
            }
        });
    }

    /**
     * Saves a slot's sequence, between two steps.
     *
     * @param slot any
     * @return its state, to be closed; null if it has none
     */
    public @Nullable NativeState save(Slot slot) {
        long needed = Failures.mapped(() -> ask(() -> slot.open ? engine.stateLength(slot.id) : 0L));
        while (needed > 0) {
            NativeState state = NativeState.allocate(needed); // not on the engine's thread: memory may be short
            boolean whole = false;
            try {
                needed = Failures.mapped(() -> ask(() -> slot.open ? engine.save(slot.id, state) : 0L));
                whole = needed == state.length();
                if (whole) {
                    return state;
                }
            } finally {
                if (!whole) {
                    state.close();
                }
            }
        }
        return null;
    }

    /**
     * Opens a sequence that was saved, between two steps.
     *
     * @param state not closed meanwhile
     * @param slot that has no sequence yet; it has this one then
     * @throws NativeException as {@link NativeEngine#restore}: what it means depends on where the state came from
     */
    public void restore(NativeState state, Slot slot) {
        ask(() -> {
            slot.id = engine.restore(state);
            slot.open = true;
            return slot;
        });
    }

    /**
     * Raw logits; waits until nothing generates.
     *
     * @param ids all tokens
     * @param first row wanted
     * @param vocabulary numbers a row
     * @return rows, one after the other
     * @throws GenerationInterruptedException if the thread is interrupted meanwhile
     */
    public float[] logits(int[] ids, int first, int vocabulary) {
        try (NativeTask task = NativeTask.create()) {
            tasks.add(task);
            try {
                return Failures.mapped(() -> askWhenQuiet(() -> compute(ids, first, vocabulary, task), task::cancel));
            } finally {
                tasks.remove(task);
            }
        }
    }

    /**
     * Vectors of texts, made by the model as it is.
     *
     * @param inputs what they are made of
     * @param how what is wanted
     * @param width numbers of each
     * @return one for each input
     * @throws GenerationInterruptedException if the thread is interrupted meanwhile
     */
    public float[][] embed(List<NativeInput> inputs, NativeEmbedding how, int width) {
        return embed(inputs, how, width, List.of());
    }

    /**
     * Vectors of texts, in portions between which others have their turn; waits until nothing generates.
     *
     * @param inputs what they are made of
     * @param how what is wanted
     * @param width numbers of each
     * @param adapters what changes the model for it
     * @return one for each input
     * @throws GenerationInterruptedException if the thread is interrupted meanwhile
     */
    public float[][] embed(List<NativeInput> inputs, NativeEmbedding how, int width, List<NativeAdapter.Use> adapters) {
        float[][] vectors = new float[inputs.size()][];
        try (NativeTask task = NativeTask.create()) {
            tasks.add(task);
            try {
                for (int begin = 0, end; begin < vectors.length; begin = end) {
                    end = portion(inputs, begin);
                    List<NativeInput> some = inputs.subList(begin, end);
                    float[][] found = Failures.mapped(() -> askWhenQuiet(
                            () -> with(adapters, () -> cancellable(() -> engine.embed(some, how, width, task))),
                            task::cancel));
                    System.arraycopy(found, 0, vectors, begin, found.length);
                }
            } finally {
                tasks.remove(task);
            }
        }
        return vectors;
    }

    /** For one piece of work alone: others find the engine as it was. */
    private <T> T with(List<NativeAdapter.Use> adapters, Supplier<T> work) {
        if (adapters.isEmpty()) {
            return work.get();
        }
        engine.adapt(adapters);
        try {
            return work.get();
        } finally {
            engine.adapt(List.of());
        }
    }

    private static int portion(List<NativeInput> inputs, int begin) {
        int end = begin;
        for (long tokens = 0; end < inputs.size() && (end == begin || tokens < EMBED_TOKENS); end++) {
            tokens += inputs.get(end).ids().length;
        }
        return end;
    }

    /**
     * What a masked language model says of some tokens of a text.
     *
     * @param input the text
     * @param positions of its tokens
     * @param vocabulary numbers a row
     * @return a row of logits for each
     */
    public float[][] fill(NativeInput input, int[] positions, int vocabulary) {
        return Failures.mapped(() -> askWhenQuiet(() -> engine.fill(input, positions, vocabulary), () -> {}));
    }

    private <T> T cancellable(Supplier<T> work) {
        try {
            return work.get();
        } catch (NativeException e) {
            if (e.status() == NativeStatus.CANCELLED) {
                throw isClosed() ? closed() : new GenerationInterruptedException(null);
            }
            throw e;
        }
    }

    private float[] compute(int[] ids, int first, int vocabulary, NativeTask task) {
        return cancellable(() -> engine.logits(ids, first, vocabulary, task));
    }

    /** Ends all generations with {@link ClosedException} and gives the engine back; waits for that. */
    public void close() {
        abandon();
        if (Thread.currentThread() != thread) {
            joinUninterruptibly();
        }
    }

    /** Its owner is unreachable: as {@link #close}, without waiting. */
    public void abandon() {
        synchronized (gate) {
            if (closing) {
                return;
            }
            closing = true;
            messages.add(() -> {}); // wakes the thread
        }
        for (NativeTask task : tasks) {
            try {
                task.cancel();
            } catch (NativeClosedException e) {
                LOG.trace("a task ended by itself", e);
            }
        }
    }

    /** {@return whether close was called} */
    public boolean isClosed() {
        synchronized (gate) {
            return closing;
        }
    }

    private void joinUninterruptibly() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static ClosedException closed() {
        return new ClosedException("the context is closed, or the model that it belongs to");
    }

    private boolean send(Runnable message) {
        synchronized (gate) {
            return !closing && messages.add(message);
        }
    }

    /** Asks between two steps. */
    private <T> T ask(Callable<T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        if (!send(() -> answer(answer, question))) {
            throw closed();
        }
        return Answers.await(answer, () -> {});
    }

    /** A question that may wait long; an interrupt ends the waiting at once, and its work soon. */
    private <T> T askWhenQuiet(Callable<T> question, Runnable cancel) {
        AtomicBoolean taken = new AtomicBoolean();
        CompletableFuture<T> answer = new CompletableFuture<>();
        Runnable message = () -> {
            if (taken.compareAndSet(false, true)) {
                answer(answer, question);
            }
        };
        if (!send(() -> whenQuiet.add(message))) {
            throw closed();
        }
        return Answers.await(answer, () -> {
            if (taken.compareAndSet(false, true)) {
                answer.completeExceptionally(new GenerationInterruptedException(null));
            } else {
                cancel.run();
            }
        });
    }

    private static <T> void answer(CompletableFuture<T> answer, Callable<T> question) {
        try {
            answer.complete(question.call());
        } catch (Exception e) {
            answer.completeExceptionally(e);
        }
    }

    // from here on: the thread itself

    private void run() {
        try {
            while (!isClosed()) {
                takeMessages();
                if (!generations.isEmpty() && !isClosed()) {
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
        for (Runnable message = firstMessage(); message != null; message = messages.poll()) {
            message.run();
        }
        while (!whenQuiet.isEmpty() && isQuiet()) {
            whenQuiet.remove().run();
        }
        attend();
    }

    private @Nullable Runnable firstMessage() throws InterruptedException {
        if (resting) {
            attend(); // what was shown in the last step has its alarm, too
        }
        boolean idle = generations.isEmpty() || resting;
        if (!idle || (!whenQuiet.isEmpty() && isQuiet())) {
            return messages.poll();
        }
        resting = false; // whatever comes, a step looks at it
        following = false;
        Long until = generations.isEmpty() ? null : alarm;
        return until == null ? messages.take() : messages.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    /** Does the core compute for nobody? */
    private boolean isQuiet() {
        return generations.values().stream().allMatch(g -> g.paused);
    }

    private void start(Generation g) {
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

    private void close(Slot slot) {
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
        taps.forEach(tap -> tap.step(step, took));
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
        taps.forEach(tap -> tap.ended(finished, g.timedOut));
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
        synchronized (gate) {
            closing = true;
        }
        for (Generation g : List.copyOf(generations.values())) {
            g.fail(closed());
        }
        generations.clear();
        remember();
        engine.close();
        while (!messages.isEmpty() || !whenQuiet.isEmpty()) { // the first ones may add to the second ones
            Runnable message = messages.poll();
            refuse(message != null ? message : whenQuiet.remove());
        }
        Core.drainLog();
    }

    /** The last figures, for those who still look, and the last word to those who were told all the time. */
    private void remember() {
        NativeEngine.Info now = null;
        try {
            now = engine.info();
        } catch (NativeClosedException e) {
            LOG.debug("the model was closed before its engine", e);
        }
        synchronized (gate) {
            last = now;
            over = true;
        }
        taps.forEach(Tap::over);
        taps.clear();
    }

    /** A message that came too late: who waits for it gets the closed engine's answer. */
    private static void refuse(Runnable message) {
        try {
            message.run();
        } catch (RuntimeException e) {
            LOG.debug("a message to a closed engine", e);
        }
    }
}
