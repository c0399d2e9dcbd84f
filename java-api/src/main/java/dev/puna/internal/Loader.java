// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.PunaException;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeModel;
import dev.puna.bindings.NativeStatus;
import dev.puna.bindings.NativeTask;
import dev.puna.internal.jfr.LoadEvent;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads a model on a platform thread while the caller watches. */
public final class Loader {
    private static final Logger LOG = LoggerFactory.getLogger(Loader.class);
    private static final long TICK_MILLIS = 100;

    private Loader() {}

    /** Who watches. */
    public interface Listener {
        /**
         * Called about ten times a second, on the caller's thread.
         *
         * @param done bytes
         * @param total bytes; 0 when not known
         */
        void progress(long done, long total);
    }

    /**
     * Loads a file. An interrupt, or an exception of the listener, cancels.
     *
     * @param file a GGUF file
     * @param listener told how far it is
     * @return the model
     */
    public static NativeModel load(Path file, Listener listener) {
        LoadEvent event = new LoadEvent();
        event.begin();
        event.file = file.toString();
        try (NativeTask task = NativeTask.create()) {
            NativeModel model = watch(file, task, listener);
            event.loaded = true;
            event.bytes = model.info().fileBytes();
            return model;
        } catch (NativeException e) {
            throw Failures.of(e);
        } finally {
            event.commit();
            Core.drainLog();
        }
    }

    private static NativeModel watch(Path file, NativeTask task, Listener listener) {
        FutureTask<NativeModel> work = new FutureTask<>(() -> NativeModel.load(file, 0, task));
        Platform.start("load", work);
        while (true) {
            try {
                return told(work.get(TICK_MILLIS, TimeUnit.MILLISECONDS), listener);
            } catch (TimeoutException e) {
                tell(task, listener, work);
            } catch (InterruptedException e) {
                stop(task, work);
                Thread.currentThread().interrupt();
                throw new PunaException("loading " + file + " was interrupted", e);
            } catch (ExecutionException e) {
                throw cause(e);
            }
        }
    }

    /** The last word to the listener; one that refuses even that does not leave a model behind. */
    private static NativeModel told(NativeModel model, Listener listener) {
        try {
            long bytes = model.info().fileBytes();
            listener.progress(bytes, bytes);
            return model;
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    private static void tell(NativeTask task, Listener listener, FutureTask<NativeModel> work) {
        NativeTask.Progress progress = task.progress();
        try {
            listener.progress(progress.done(), progress.total());
        } catch (RuntimeException | Error e) {
            stop(task, work);
            throw e;
        }
    }

    /**
     * Cancels and waits for the end, so that nobody uses the task any more; a model that came all the same is closed.
     */
    private static void stop(NativeTask task, FutureTask<NativeModel> work) {
        task.cancel();
        boolean interrupted = false;
        try {
            while (!work.isDone()) {
                try {
                    work.get().close();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    LOG.debug("a loading that was given up", e);
                }
            }
            if (work.state() == Future.State.SUCCESS) {
                work.resultNow().close(); // it may have come between two looks; closing twice is harmless
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static RuntimeException cause(ExecutionException e) {
        if (e.getCause() instanceof NativeException failed && failed.status() == NativeStatus.CANCELLED) {
            return new PunaException("the loading was cancelled", failed);
        }
        return e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
    }
}
