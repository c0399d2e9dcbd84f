// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeEngine;
import dev.puna.bindings.NativeEvent;
import dev.puna.internal.engine.EngineThread;
import dev.puna.internal.engine.Tap;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One observer at one engine: the engine's thread puts what happened into a bounded queue and never waits; a virtual
 * thread takes it out and tells the observer.
 */
final class Observation implements Observer.Registration {
    private static final Logger LOG = LoggerFactory.getLogger(Observer.class);
    private static final int MOST = 8192;

    private final Observer observer;
    private final EngineThread engine;
    private final ArrayBlockingQueue<Consumer<Observer>> told = new ArrayBlockingQueue<>(MOST);
    private final AtomicLong missed = new AtomicLong();
    private final Tap inlet = new Inlet();
    private volatile boolean closed;
    private final Thread teller;

    private Observation(Observer observer, EngineThread engine) {
        this.observer = observer;
        this.engine = engine;
        this.teller = Thread.ofVirtual().name("puna-observer").unstarted(this::tell);
    }

    static Observation begin(Observer observer, EngineThread engine) {
        Observation made = new Observation(observer, engine);
        made.teller.start();
        engine.add(made.inlet);
        return made;
    }

    /** The engine's side: called on its thread. */
    private final class Inlet implements Tap {
        @Override
        public void step(NativeEngine.Step step, long nanos) {
            offer(o -> o.stepped(new Observer.Step(
                    step.sequences(), step.promptTokens(), step.tokens(), step.active(), Duration.ofNanos(nanos))));
        }

        @Override
        public void ended(NativeEvent.Finished f, boolean timedOut) {
            offer(o -> {
                Usage usage = new Usage(
                        f.promptTokens(),
                        f.cachedTokens(),
                        f.generatedTokens(),
                        f.droppedTokens(),
                        f.draftedTokens(),
                        f.acceptedTokens());
                Timings timings = new Timings(
                        Duration.ofNanos(f.queuedNanos()),
                        Duration.ofNanos(f.promptNanos()),
                        Duration.ofNanos(f.generateNanos()),
                        usage);
                boolean failed = f.stop() == NativeEvent.Stop.FAILED;
                o.ended(new Observer.End(
                        failed ? Optional.empty() : Optional.of(Settlement.stopReason(f.stop(), timedOut)),
                        usage,
                        timings));
            });
        }

        @Override
        public void over() {
            end();
        }
    }

    /** What is in the queue is told, then nothing any more. */
    private void end() {
        closed = true;
        told.offer(o -> {}); // wakes the teller; a full queue does so by itself
    }

    private void offer(Consumer<Observer> what) {
        if (!told.offer(what)) {
            missed.incrementAndGet();
        }
    }

    private void tell() {
        while (!closed || !told.isEmpty()) {
            try {
                told.take().accept(observer);
            } catch (InterruptedException e) {
                LOG.debug("an observer interrupted itself; it stays registered", e); // nobody else knows its thread
            } catch (RuntimeException | Error e) {
                LOG.warn("an observer failed; it stays registered", e);
            }
        }
    }

    @Override
    public long missed() {
        return missed.get();
    }

    @Override
    public void close() {
        engine.remove(inlet);
        told.clear();
        end();
    }
}
