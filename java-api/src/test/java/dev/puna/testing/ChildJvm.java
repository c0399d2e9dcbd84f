// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import dev.puna.Model;
import dev.puna.bindings.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Java processes of their own, on the class path, with the library of this one. */
public final class ChildJvm {
    private ChildJvm() {}

    /**
     * What a process said.
     *
     * @param status with which it ended
     * @param text standard output and error together
     */
    public record Result(int status, String text) {}

    /**
     * Runs a program to its end; one that takes more than a minute is killed, and the test fails.
     *
     * @param program a class with a main method, public or not
     * @param options of the virtual machine
     * @param arguments of the program
     * @return what it said
     */
    public static Result run(Class<?> program, List<String> options, String... arguments) {
        return run(program, Map.of(), options, arguments);
    }

    /**
     * Runs a program likewise, with something in its environment.
     *
     * @param program a class with a main method, public or not
     * @param environment variables by name, beside those of this process
     * @param options of the virtual machine
     * @param arguments of the program
     * @return what it said
     */
    public static Result run(
            Class<?> program, Map<String, String> environment, List<String> options, String... arguments) {
        try {
            Path output = Files.createTempFile("puna-child", ".txt");
            ProcessBuilder builder = builder(program, options, arguments).redirectOutput(output.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            boolean ended = process.waitFor(60, TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            String text = Files.readString(output, StandardCharsets.UTF_8);
            Files.delete(output);
            if (!ended) {
                throw new AssertionError(program.getSimpleName() + " did not end within a minute; it said: " + text);
            }
            return new Result(process.exitValue(), text);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Starts a program that the caller ends.
     *
     * @param program a class with a main method, public or not
     * @param arguments of the program
     * @return the process, its error in its output
     */
    public static Process start(Class<?> program, String... arguments) throws IOException {
        return builder(program, List.of(), arguments).start();
    }

    private static ProcessBuilder builder(Class<?> program, List<String> options, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-Dpuna.library.path=" + NativeLibrary.file(),
                "-Dpuna.root=" + System.getProperty("puna.root")));
        command.addAll(options);
        command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath(program)), program.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true);
    }

    private static Set<String> classPath(Class<?> program) {
        Set<String> entries = new LinkedHashSet<>();
        entries.add(root(program));
        entries.add(root(Model.class));
        for (String property : List.of("jdk.module.path", "surefire.test.class.path", "java.class.path")) {
            Stream.of(System.getProperty(property, "").split(File.pathSeparator))
                    .filter(entry -> !entry.isEmpty())
                    .forEach(entries::add);
        }
        return entries;
    }

    /** The folder or jar that a class lies in; its module may say otherwise where it is patched. */
    private static String root(Class<?> type) {
        String name = type.getName().replace('.', '/') + ".class";
        String place =
                Objects.requireNonNull(type.getResource("/" + name), name).toString();
        try {
            if (place.startsWith("jar:file:")) {
                return Path.of(new java.net.URI(place.substring(4, place.indexOf('!'))))
                        .toString();
            }
            Path folder = Path.of(new java.net.URI(place));
            for (int i = 0; i < name.split("/").length; i++) {
                folder = Objects.requireNonNull(folder.getParent());
            }
            return folder.toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
