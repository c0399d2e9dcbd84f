// SPDX-License-Identifier: Apache-2.0
package dev.puna.loading;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.PunaException;
import dev.puna.bindings.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the native library is found, each case in a Java process of its own. */
class LoadingTest {
    @TempDir
    Path temporary;

    private Path bindings;
    private Path natives;
    private Path tests;

    @BeforeEach
    void copyTheArtifactsOutOfTheSourceTree() throws IOException, URISyntaxException {
        bindings = packed("puna-bindings.jar", place(NativeLibrary.class));
        natives = packed("puna-natives.jar", nativesOfThisRun());
        tests = Path.of(LoadingTest.class.getResource("Probe.class").toURI());
        for (int i = 0; i < 4; i++) { // dev/puna/loading/Probe.class
            tests = tests.getParent();
        }
    }

    @Test
    void fromTheModulePath() throws Exception {
        Path cache = temporary.resolve("cache");
        String first = onModulePath(cache, List.of(bindings, natives));
        assertThat(first).startsWith("loaded artifact puna-natives-").contains("|" + cache);
        assertThat(onModulePath(cache, List.of(bindings, natives))).isEqualTo(first);
    }

    @Test
    void fromTheClassPath() throws Exception {
        Path cache = temporary.resolve("cache");
        assertThat(onClassPath(cache, List.of(), List.of(bindings, natives)))
                .startsWith("loaded artifact puna-natives-")
                .contains("|" + cache);
    }

    @Test
    void fromTheClassPathWhileTheBindingsAreAModule() throws Exception {
        Path cache = temporary.resolve("cache");
        List<String> command = moduleCommand(List.of(bindings));
        command.addAll(1, List.of("-cp", natives.toString()));
        assertThat(run(cache, command))
                .startsWith("loaded artifact puna-natives-")
                .contains("|" + cache);
    }

    @Test
    void whereTheHomeCannotBeWritten() throws Exception {
        Path blocked = Files.writeString(temporary.resolve("file"), "no folder");
        Path scratch = Files.createDirectory(temporary.resolve("scratch"));
        assertThat(onClassPath(
                        blocked,
                        List.of("-Duser.home=" + blocked, "-Djava.io.tmpdir=" + scratch),
                        List.of(bindings, natives)))
                .startsWith("loaded artifact puna-natives-")
                .contains("|" + scratch);
        try (Stream<Path> left = Files.list(scratch)) {
            assertThat(left.filter(path -> path.getFileName().toString().startsWith("puna")))
                    .isEmpty();
        }
    }

    @Test
    void manyProcessesAtOnce() throws Exception {
        Path cache = temporary.resolve("cache");
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            processes.add(start(cache, classCommand(List.of(), List.of(bindings, natives))));
        }
        for (Process process : processes) {
            assertThat(output(process)).startsWith("loaded artifact").contains("|" + cache);
        }
        try (Stream<Path> files = Files.walk(cache)) {
            assertThat(files.filter(Files::isRegularFile)).hasSize(2); // the library and the lock
        }
    }

    @Test
    void twoClassLoadersShareTheLibrary() throws Exception {
        List<String> command = classCommand(List.of(), List.of(bindings, natives));
        command.add("twice");
        List<String> lines = run(temporary.resolve("cache"), command).lines().toList();
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).startsWith("loaded artifact").isEqualTo(lines.get(1));
    }

    @Test
    void fromTheSystemProperty() throws Exception {
        Path folder = NativeLibrary.file().getParent();
        for (Path place : List.of(folder, NativeLibrary.file())) {
            assertThat(onClassPath(temporary, List.of("-Dpuna.library.path=" + place), List.of(bindings)))
                    .startsWith("loaded system property puna.library.path|" + folder);
        }
    }

    @Test
    void aPropertyThatLeadsNowhereIsNotPassedOver() throws Exception {
        assertThat(onClassPath(
                        temporary,
                        List.of("-Dpuna.library.path=" + temporary.resolve("none.so")),
                        List.of(bindings, natives)))
                .startsWith("refused")
                .contains("system property puna.library.path", "none.so", "no such file");
    }

    @Test
    void whatIsNoLibraryIsSaid() throws Exception {
        Path text = Files.writeString(temporary.resolve("text.so"), "this is a text");
        assertThat(onClassPath(temporary, List.of("-Dpuna.library.path=" + text), List.of(bindings)))
                .startsWith("refused")
                .contains(text.toString())
                .contains("it is no shared library");
    }

    @Test
    void aBrokenLibraryIsSaidWithTheSystemsReason() throws Exception {
        byte[] library = Files.readAllBytes(NativeLibrary.file());
        library[4] ^= 3; // the header's word size (ELF) or processor (Mach-O)
        Path broken = Files.write(temporary.resolve("broken.so"), library);
        assertThat(onClassPath(temporary, List.of("-Dpuna.library.path=" + broken), List.of(bindings)))
                .contains("refused", broken + "): ")
                .doesNotContain("no such file", "second attempt", "it is no shared library");
    }

    @Test
    void withoutAnyPlaceTheErrorNamesThemAll() throws Exception {
        assertThat(onClassPath(temporary, List.of(), List.of(bindings)))
                .startsWith("refused No usable native library for ")
                .contains("not on the module path or class path", "dev.puna:puna-natives-", "-Dpuna.library.path=FILE");
    }

    @Test
    void deniedNativeAccessIsSaidWithTheOptionThatGrantsIt() throws Exception {
        List<String> command = classCommand(List.of(), List.of(bindings, natives));
        command.replaceAll(word -> word.startsWith("--enable-native-access") ? "--illegal-native-access=deny" : word);
        assertThat(run(temporary.resolve("cache"), command))
                .startsWith("refused")
                .contains("--enable-native-access=ALL-UNNAMED");
    }

    // ---- Processes ----

    private String onModulePath(Path cache, List<Path> artifacts) throws Exception {
        return run(cache, moduleCommand(artifacts));
    }

    private String onClassPath(Path cache, List<String> options, List<Path> artifacts) throws Exception {
        return run(cache, classCommand(options, artifacts));
    }

    private List<String> moduleCommand(List<Path> artifacts) throws Exception {
        List<Path> modules = new ArrayList<>(artifacts);
        modules.add(place(PunaException.class));
        modules.add(place(org.slf4j.Logger.class));
        return new ArrayList<>(List.of(
                java(),
                "-p",
                joined(modules),
                "--patch-module",
                "dev.puna=" + tests,
                "--enable-native-access=dev.puna.bindings",
                "-m",
                "dev.puna/" + Probe.class.getName()));
    }

    private List<String> classCommand(List<String> options, List<Path> artifacts) {
        List<Path> entries = new ArrayList<>(artifacts);
        entries.add(tests);
        List<String> command = new ArrayList<>(List.of(java(), "--enable-native-access=ALL-UNNAMED"));
        command.addAll(options);
        command.addAll(List.of("-cp", joined(entries), Probe.class.getName()));
        return command;
    }

    private String run(Path cache, List<String> command) throws Exception {
        return output(start(cache, command));
    }

    private static Process start(Path cache, List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("XDG_CACHE_HOME", cache.toString());
        builder.environment().put("LOCALAPPDATA", cache.toString());
        return builder.start();
    }

    private static String output(Process process) throws Exception {
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor()).as(text).isZero();
        return text;
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static String joined(List<Path> paths) {
        return String.join(
                File.pathSeparator, paths.stream().map(Path::toString).toList());
    }

    // ---- Artifacts ----

    private static Path place(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private static Path nativesOfThisRun() {
        return Stream.of("jdk.module.path", "java.class.path", "surefire.test.class.path")
                .map(name -> System.getProperty(name, ""))
                .flatMap(path -> Stream.of(path.split(File.pathSeparator)))
                .filter(entry -> entry.contains("natives-"))
                .map(Path::of)
                .findFirst()
                .orElseThrow();
    }

    /** A jar outside the source tree, of a jar or of a folder with classes. */
    private Path packed(String name, Path artifact) throws IOException {
        Path jar = temporary.resolve(name);
        if (Files.isRegularFile(artifact)) {
            return Files.copy(artifact, jar);
        }
        try (OutputStream out = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> files = Files.walk(artifact)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                zip.putNextEntry(
                        new ZipEntry(artifact.relativize(file).toString().replace('\\', '/')));
                Files.copy(file, zip);
            }
        }
        return jar;
    }
}
