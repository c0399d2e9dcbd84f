// SPDX-License-Identifier: Apache-2.0
package dev.puna.soak;

import dev.puna.Context;
import dev.puna.Statistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Looks at a context and at the process while callers are at work. */
final class Watch implements AutoCloseable {
    private static final Path STATUS = Path.of("/proc/self/status");

    private final Context context;
    private long pages; // guarded by this, as all below
    private long memory;
    private long settled; // bytes beside Java's heap after the first fifth of the time
    private long beside; // the most of those since
    private long most;
    private volatile boolean over;
    private final Thread thread;

    /** Begins to look. */
    Watch(Context context, long nanos) {
        this.context = context;
        long warm = System.nanoTime() + nanos / 5;
        thread = Thread.ofPlatform().daemon().name("watch").start(() -> look(warm));
    }

    private void look(long warm) {
        for (int round = 0; !over; round++) {
            Statistics now = context.statistics();
            synchronized (this) {
                pages = Math.max(pages, now.pagesUsed());
                memory = Math.max(memory, now.memoryBytes());
                if (round % 20 == 0 && System.nanoTime() - warm > 0) {
                    long resident = resident();
                    long own = resident - Runtime.getRuntime().totalMemory();
                    beside = settled == 0 ? own : Math.max(beside, own);
                    settled = settled == 0 ? own : settled;
                    most = Math.max(most, resident);
                }
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Resident memory of the process, 0 where the system does not tell. */
    private static long resident() {
        try (Stream<String> lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }

    synchronized long peakPages() {
        return pages;
    }

    synchronized long peakMemory() {
        return memory;
    }

    synchronized long residentBytes() {
        return most;
    }

    /**
     * Resident memory that came after the first fifth of the time, without what Java's heap was given meanwhile: a heap
     * grows as its collector likes, up to a limit that is not ours.
     */
    synchronized long growth() {
        return beside - settled;
    }

    @Override
    public void close() {
        over = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
