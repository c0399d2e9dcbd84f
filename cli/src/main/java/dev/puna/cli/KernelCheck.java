// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Kernel;
import dev.puna.Machine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tests every kernel in a process of its own, so that one that crashes or hangs is a line of the report. That process
 * says a kernel's name before it runs it ({@code run avx2 rope}), then {@code same} or {@code differs: ...}, at last
 * {@code done}; one that ends before is started again behind the kernel that ended it.
 */
final class KernelCheck {
    private static final Pattern SIGNAL = Pattern.compile("^#\\s+(SIG[A-Z]+|EXCEPTION_[A-Z_]+)\\b");

    private final List<String> command;
    private final long limitSeconds;

    /**
     * What was found.
     *
     * @param tested kernels that ran to their end
     * @param failed those that are at fault
     * @param seconds that it took
     * @param trouble why not all could be tested, or empty
     */
    record Result(int tested, List<Failure> failed, double seconds, String trouble) {}

    /** A kernel that is at fault, and how. */
    record Failure(String tier, String name, String how) {}

    /** The process's command, which gets the number of the first kernel as its last argument. */
    KernelCheck(List<String> command, long limitSeconds) {
        this.command = command;
        this.limitSeconds = limitSeconds;
    }

    /** The command that runs {@code puna doctor --kernels} as this process runs. */
    static List<String> ownCommand(Machine machine, Path folder) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + folder.resolve("crash.txt"),
                "-Dpuna.library.path=" + machine.libraryFile(),
                "--enable-native-access=" + Machine.nativeModule()));
        if (Main.class.getModule().isNamed()) {
            command.addAll(
                    List.of("-p", System.getProperty("jdk.module.path", ""), "-m", "dev.puna.cli/dev.puna.cli.Main"));
        } else {
            command.addAll(List.of("-cp", System.getProperty("java.class.path", ""), Main.class.getName()));
        }
        command.addAll(List.of("doctor", "--kernels"));
        return command;
    }

    /** The other side: tests the kernels from `first` on, here. */
    static int here(int first, PrintStream out) {
        List<Kernel> all = Machine.kernels();
        for (Kernel kernel : all.subList(Math.min(first, all.size()), all.size())) {
            out.println("run " + kernel.tier() + " " + kernel.name());
            out.flush();
            Optional<String> difference = kernel.test();
            out.println(difference.map(text -> "differs: " + text).orElse("same"));
            out.flush();
        }
        out.println("done");
        return 0;
    }

    Result run() {
        long start = System.nanoTime();
        List<Failure> failed = new ArrayList<>();
        int tested = 0;
        String trouble = "";
        try {
            boolean more = true;
            while (more) {
                Process process = new ProcessBuilder(with(tested + ended(failed)))
                        .redirectErrorStream(true)
                        .start();
                One one = read(process);
                tested += one.tested;
                failed.addAll(one.failed);
                more = one.crashed && !one.late;
                if (one.late) {
                    trouble = "those behind one that hangs are left out";
                } else if (!one.done && !one.crashed) {
                    trouble = one.trouble();
                }
            }
        } catch (IOException e) {
            trouble = "a process for the self-test can't be started: " + e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            trouble = "interrupted";
        }
        return new Result(tested, failed, (System.nanoTime() - start) / 1e9, trouble);
    }

    /** Kernels that ended their process are not among those that were tested to their end. */
    private static int ended(List<Failure> failed) {
        return (int) failed.stream().filter(f -> !f.how.startsWith("differs")).count();
    }

    private List<String> with(int first) {
        List<String> whole = new ArrayList<>(command);
        whole.add(Integer.toString(first));
        return whole;
    }

    /** One process's life. */
    private static final class One {
        private final List<Failure> failed = new ArrayList<>();
        private final List<String> other = new ArrayList<>();
        private int tested;
        private boolean done;
        private boolean crashed;
        private boolean late;

        String trouble() {
            String said = other.isEmpty() ? "" : ": " + String.join("; ", other.subList(0, Math.min(3, other.size())));
            return "the self-test's process ended before its first kernel" + said;
        }
    }

    private One read(Process process) throws IOException, InterruptedException {
        One one = new One();
        String[] running = {};
        String signal = "";
        Thread watchdog = Thread.ofPlatform().daemon().start(() -> {
            try {
                if (!process.waitFor(limitSeconds, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
            }
        });
        long start = System.nanoTime();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher crash = SIGNAL.matcher(line);
                if (line.startsWith("run ")) {
                    running = line.split(" ", 3);
                } else if (line.equals("same") && running.length == 3) {
                    one.tested++;
                    running = new String[0];
                } else if (line.startsWith("differs: ") && running.length == 3) {
                    one.tested++;
                    one.failed.add(new Failure(running[1], running[2], line));
                    running = new String[0];
                } else if (line.equals("done")) {
                    one.done = true;
                } else if (crash.find() && signal.isEmpty()) {
                    signal = crash.group(1);
                } else if (!line.isBlank() && !line.startsWith("#")) {
                    one.other.add(line.strip());
                }
            }
        } finally {
            int status = process.waitFor();
            watchdog.interrupt();
            watchdog.join();
            if (running.length == 3) {
                one.late = System.nanoTime() - start >= TimeUnit.SECONDS.toNanos(limitSeconds);
                String how = one.late
                        ? "hangs: stopped after " + limitSeconds + " s"
                        : "crashes: " + (signal.isEmpty() ? "the process ended with status " + status : signal);
                one.failed.add(new Failure(running[1], running[2], how));
                one.crashed = true;
            }
        }
        return one;
    }

    /** A folder for what a crash leaves, which goes with all that is in it. */
    static final class Scratch implements AutoCloseable {
        private final Path folder;

        Scratch() throws IOException {
            folder = Files.createTempDirectory("puna-doctor");
        }

        Path folder() {
            return folder;
        }

        @Override
        public void close() throws IOException {
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }
}
