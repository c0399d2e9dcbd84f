// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.store.FetchProgress;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Shows a fetch on standard error: one line that moves on a terminal, otherwise a line for each phase and each tenth. When
 * the process is interrupted meanwhile, it says that nothing is lost.
 */
final class FetchDisplay implements Consumer<FetchProgress>, AutoCloseable {
    private static final int BAR = 24;

    private final PrintStream err;
    private final Runnable announcement;
    private final boolean terminal;
    private final int width;
    private final Thread interrupted = new Thread(this::interrupted);
    private FetchProgress.@Nullable Phase phase;
    private String detail = "";
    private int tenth;
    private boolean begun;
    private boolean ended;

    /** The announcement is made when something really begins: not when it is forbidden to. */
    FetchDisplay(Streams streams, Runnable announcement) {
        this.announcement = announcement;
        err = streams.err();
        terminal = streams.errIsTerminal();
        width = Math.max(40, terminal ? streams.errWidth() : 0);
        Runtime.getRuntime().addShutdownHook(interrupted);
    }

    private synchronized void interrupted() {
        if (!ended) {
            ended = true;
            err.println((terminal ? "\r\033[K" : "")
                    + "puna: interrupted; what was received is kept, the next attempt continues");
            err.flush();
        }
    }

    @Override
    public synchronized void accept(FetchProgress progress) {
        if (ended) {
            return;
        }
        if (!begun) {
            begun = true;
            announcement.run();
        }
        if (terminal) {
            err.print("\r\033[K"
                    + (progress.phase() == FetchProgress.Phase.RETRYING ? line(progress) : cut(line(progress))));
        } else if (isNews(progress)) {
            err.println("puna: " + line(progress));
        }
        if (progress.phase() == FetchProgress.Phase.RETRYING && terminal) {
            err.println(); // the reason stays to be read
        }
        phase = progress.phase();
        detail = progress.detail();
        err.flush();
    }

    /** A new phase, a new source, or another tenth. */
    private boolean isNews(FetchProgress progress) {
        int now = progress.total() > 0 ? (int) (progress.done() * 10 / progress.total()) : 0;
        boolean news = progress.phase() != phase || !progress.detail().equals(detail) || now > tenth;
        tenth = now;
        return news;
    }

    private String line(FetchProgress progress) {
        String what = words(progress.phase());
        String detail = progress.detail().isEmpty() ? "" : " " + progress.detail();
        boolean moves = switch (progress.phase()) {
            case DOWNLOADING, UNPACKING, CHECKING -> progress.total() > 0;
            default -> false;
        };
        if (!moves) {
            return what + detail;
        }
        String amount = Units.bytes(progress.done()) + " of " + Units.bytes(progress.total());
        String rate = progress.bytesPerSecond() > 0 ? ", " + Units.bytes((long) progress.bytesPerSecond()) + "/s" : "";
        if (!terminal) {
            return what + detail + ": " + amount + rate;
        }
        int full = (int) Math.min(BAR, BAR * progress.done() / progress.total());
        return what + " [" + "#".repeat(full) + " ".repeat(BAR - full) + "] " + amount + rate;
    }

    /** To the terminal's width: a line that wraps cannot be drawn again. */
    private String cut(String line) {
        return line.length() < width ? line : line.substring(0, width - 4) + "...";
    }

    private static String words(FetchProgress.Phase phase) {
        return switch (phase) {
            case CONNECTING -> "connecting to";
            case WAITING -> "waiting:";
            case RETRYING -> "trying again:";
            case DONE -> "done:";
            default -> phase.name().toLowerCase(Locale.ROOT);
        };
    }

    @Override
    public synchronized void close() {
        if (!ended) {
            ended = true;
            if (terminal) {
                err.print("\r\033[K");
                err.flush();
            }
            try {
                Runtime.getRuntime().removeShutdownHook(interrupted);
            } catch (IllegalStateException e) {
                return; // the process is ending: the hook has nothing more to say
            }
        }
    }
}
