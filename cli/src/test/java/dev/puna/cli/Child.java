// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs commands in a Java process of their own. */
final class Child {
    private final Process process;
    private final Path err;

    private Child(Process process, Path err) {
        this.process = process;
        this.err = err;
    }

    /** Starts a command on the class path; the variables replace those of this process, an empty one is removed. */
    static Child start(Path folder, Map<String, String> variables, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(
                        File.pathSeparator,
                        System.getProperty("jdk.module.path", ""),
                        System.getProperty("java.class.path", "")),
                "dev.puna.cli.Main"));
        String library = System.getProperty("puna.library.path");
        if (library != null) {
            command.add(1, "-Dpuna.library.path=" + library);
        }
        command.addAll(List.of(arguments));
        Path err = Files.createTempFile(folder, "err", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
        variables.forEach((name, value) -> {
            if (value.isEmpty()) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        return new Child(builder.start(), err);
    }

    Process process() {
        return process;
    }

    String err() throws IOException {
        return Files.readString(err);
    }

    Cli.Result result(String in) throws IOException, InterruptedException {
        process.getOutputStream().write(in.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().close();
        byte[] out = process.getInputStream().readAllBytes();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("it never ended");
        }
        return new Cli.Result(process.exitValue(), out, err());
    }

    /** What Ctrl-C sends. */
    void interrupt() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    }
}
