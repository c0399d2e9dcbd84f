// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Machine;
import dev.puna.PunaException;
import dev.puna.store.ForeignModel;
import dev.puna.store.ModelStore;
import dev.puna.store.StoredModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code puna doctor}: what a bug report needs, and whether all is well. */
@Command(
        name = "doctor",
        description = {
            "Look whether all is well here: processor, memory, Java, library, models, and a self-test of every kernel.",
            "The report tells nothing of who you are: paste it into a bug report."
        })
final class DoctorCommand implements Callable<Integer> {
    private static final long LITTLE = 1_000_000_000;
    private static final long LIMIT_SECONDS = 30;

    private final Streams streams;

    @Option(names = "--json", description = "One JSON object.")
    private boolean json;

    @Option(names = "--kernels", paramLabel = "FIRST", hidden = true, description = "The self-test's own process.")
    private @Nullable Integer kernels;

    DoctorCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        if (kernels != null) {
            return KernelCheck.here(kernels, streams.out());
        }
        Findings found = new Findings(System.getProperty("user.home", ""), System.getProperty("user.name", ""));
        found.fact("puna", "version", version());
        java(found); // first: native access that was not enabled counts as enabled once it was used
        Machine machine = machine(found);
        if (machine != null) {
            processor(machine, found);
            memory(machine, found);
        }
        system(found);
        store(found);
        if (machine != null) {
            selfTest(machine, found);
        }
        if (json) {
            Json.print(streams.out(), found.asJson());
        } else {
            found.print(streams.out());
        }
        return found.healthy() ? 0 : Main.FAILED;
    }

    private static String version() {
        try {
            return new PunaCommand.Version().getVersion()[0].replace("puna ", "");
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** The library; null, and a problem, where it can't be used. */
    private static @Nullable Machine machine(Findings found) {
        try {
            Machine machine = Machine.current();
            found.fact("library", "version", machine.libraryVersion());
            found.fact("library", "abi", machine.libraryAbi());
            found.fact("library", "arithmetic", machine.arithmeticVersion());
            found.fact("library", "build", machine.libraryBuild());
            found.fact("library", "found_in", machine.libraryOrigin());
            found.fact("library", "file", machine.libraryFile().toString());
            return machine;
        } catch (PunaException e) {
            found.fact("library", "usable", false);
            found.problem(Main.oneLine(String.valueOf(e.getMessage())));
            return null;
        }
    }

    private void processor(Machine machine, Findings found) {
        String what = "processor";
        found.fact(what, "name", machine.processor().isEmpty() ? "unknown" : machine.processor());
        found.fact(what, "architecture", System.getProperty("os.arch", ""));
        found.fact(what, "tiers", machine.tiers(), String.join(", ", machine.tiers()));
        String forced = streams.environment("PUNA_CPU_TIER");
        found.fact(
                what, "tier", machine.tier(), machine.tier() + (forced.isEmpty() ? "" : " (PUNA_CPU_TIER forces it)"));
        found.fact(what, "cores", machine.cores());
        found.fact(what, "hardware_threads", machine.threads());
        found.fact(what, "threads_used", machine.defaultThreads());
        OptionalDouble quota = machine.processorQuota();
        found.fact(
                what,
                "quota",
                quota.isPresent() ? quota.getAsDouble() : null,
                quota.isPresent() ? quota.getAsDouble() + " processors' time" : "none");
        if (quota.isPresent() && quota.getAsDouble() < 1) {
            found.warning("the container may use less than one processor's time: answers will be slow");
        }
        if (!machine.tier().equals(machine.tiers().getLast())) {
            found.warning("the kernels " + machine.tier() + " are in use, though the processor could run "
                    + machine.tiers().getLast());
        } else if (machine.tier().equals("ref")) {
            found.warning("there are no fast kernels for this processor: answers will be slow");
        }
    }

    private static void memory(Machine machine, Findings found) {
        found.fact("memory", "total", machine.memory(), Units.bytes(machine.memory()));
        found.fact("memory", "free", machine.freeMemory(), Units.bytes(machine.freeMemory()));
        long heap = Runtime.getRuntime().maxMemory();
        found.fact("memory", "java_heap_limit", heap, Units.bytes(heap));
        if (machine.freeMemory() < LITTLE) {
            found.warning("little memory is free: " + Units.bytes(machine.freeMemory()));
        }
        chosen(Path.of("/sys/kernel/mm/transparent_hugepage/enabled")).ifPresent(pages -> {
            found.fact("memory", "huge_pages", pages);
            if (pages.equals("never")) {
                found.warning("huge pages are off (transparent_hugepage is never): large models are slower");
            }
        });
    }

    /** The word in brackets of a file such as {@code always [madvise] never}. */
    private static Optional<String> chosen(Path file) {
        try {
            String text = Files.readString(file);
            int open = text.indexOf('[');
            int close = text.indexOf(']', open + 1);
            return open < 0 || close < 0 ? Optional.empty() : Optional.of(text.substring(open + 1, close));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static void system(Findings found) {
        found.fact("system", "name", System.getProperty("os.name", "") + " " + System.getProperty("os.version", ""));
        try (Stream<String> lines = Files.lines(Path.of("/etc/os-release"))) {
            lines.filter(line -> line.startsWith("PRETTY_NAME="))
                    .findFirst()
                    .ifPresent(line -> found.fact(
                            "system", "distribution", line.substring(12).replace("\"", "")));
        } catch (IOException e) {
            // a system without it has its name already
        }
    }

    private void java(Findings found) {
        found.fact("java", "version", Runtime.version().toString());
        found.fact("java", "vendor", System.getProperty("java.vendor", ""));
        found.fact(
                "java",
                "machine",
                System.getProperty("java.vm.name", "") + ", " + System.getProperty("java.vm.info", ""));
        boolean allowed = Machine.hasNativeAccess();
        found.fact("java", "native_access", allowed);
        if (!allowed) {
            found.warning(
                    "native access is not enabled: start Java with --enable-native-access=" + Machine.nativeModule());
        }
        List<String> options = options();
        found.fact("java", "options", options, options.isEmpty() ? "unknown or none" : String.join(" ", options));
        Optional<String> cache = options.stream()
                .filter(option -> option.startsWith("-XX:AOTCache="))
                .map(option -> option.substring(option.indexOf('=') + 1))
                .findFirst();
        boolean shared = System.getProperty("java.vm.info", "").contains("sharing");
        found.fact(
                "java",
                "aot_cache",
                cache.map(path -> aot(Path.of(path), shared)).orElse("none"));
        for (String name : List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")) {
            if (!streams.environment(name).isEmpty()) {
                List<String> set = virtualMachines(
                        Stream.of(streams.environment(name).strip().split("\\s+")));
                found.fact("java", name, set, String.join(" ", set));
            }
        }
    }

    private static String aot(Path file, boolean used) {
        try {
            return Units.bytes(Files.size(file)) + (used ? ", in use" : ", NOT in use: Java refused it");
        } catch (IOException e) {
            return "missing: " + file;
        }
    }

    /** The virtual machine's options, where the system tells; no others, which may hold what is nobody's business. */
    private static List<String> options() {
        String[] all = ProcessHandle.current().info().arguments().orElse(new String[0]);
        return virtualMachines(Stream.of(all));
    }

    private static List<String> virtualMachines(Stream<String> words) {
        List<String> options = new ArrayList<>();
        for (String word : words.toList()) {
            if (word.equals("-m") || word.equals("-jar") || word.equals("-cp") || !word.startsWith("-")) {
                continue;
            }
            if (word.startsWith("-X") || word.startsWith("--enable-native") || word.startsWith("--add-")) {
                options.add(word);
            }
        }
        return options;
    }

    private static void store(Findings found) {
        ModelStore store;
        List<StoredModel> models;
        List<ForeignModel> foreign;
        try {
            store = ModelStore.standard();
            models = store.list();
            foreign = store.foreign();
        } catch (RuntimeException e) { // a damaged index, a variable that makes no sense
            found.problem("the models can't be listed: " + Main.oneLine(String.valueOf(e.getMessage())));
            return;
        }
        long bytes = models.stream().mapToLong(StoredModel::size).sum();
        found.fact("models", "folder", store.folder().toString());
        found.fact("models", "here", models.size(), models.size() + " (" + Units.bytes(bytes) + ")");
        Path standing = store.folder();
        while (!Files.exists(standing) && standing.getParent() != null) {
            standing = standing.getParent();
        }
        boolean writable = writable(standing);
        found.fact("models", "writable", writable);
        if (!writable) {
            found.problem(
                    "models can't be fetched: " + standing + " can't be written to; PUNA_HOME names another folder");
        }
        try {
            long free = Files.getFileStore(standing).getUsableSpace();
            found.fact("models", "free_disk", free, Units.bytes(free));
            if (free < LITTLE) {
                found.warning("little room is left for models: " + Units.bytes(free) + " in " + standing);
            }
        } catch (IOException e) {
            found.warning("how much room is left for models can't be told: " + e.getMessage());
        }
        Map<String, long[]> tools = new TreeMap<>();
        for (ForeignModel model : foreign) {
            long[] sums = tools.computeIfAbsent(model.cache().toLowerCase(Locale.ROOT), name -> new long[2]);
            sums[0]++;
            sums[1] += model.size();
        }
        tools.forEach((name, sums) -> found.fact(
                "other_tools",
                name,
                Json.object("models", sums[0], "bytes", sums[1]),
                sums[0] + " (" + Units.bytes(sums[1]) + ")"));
        if (tools.isEmpty()) {
            found.nothing("other_tools", "models", "none");
        }
    }

    /** Tried, not asked: a full or read-only disk says yes when it is asked. */
    private static boolean writable(Path folder) {
        try {
            Files.delete(Files.write(Files.createTempFile(folder, ".puna-doctor", ""), new byte[1]));
            return true;
        } catch (IOException | SecurityException e) {
            return false;
        }
    }

    private static void selfTest(Machine machine, Findings found) {
        try (KernelCheck.Scratch scratch = new KernelCheck.Scratch()) {
            report(new KernelCheck(KernelCheck.ownCommand(machine, scratch.folder()), LIMIT_SECONDS).run(), found);
        } catch (IOException e) {
            found.problem("the self-test has no place for its files: " + e.getMessage());
        }
    }

    static void report(KernelCheck.Result result, Findings found) {
        List<Object> failed = new ArrayList<>();
        result.failed().forEach(f -> failed.add(Json.object("tier", f.tier(), "name", f.name(), "how", f.how())));
        found.fact("self_test", "kernels", result.tested());
        found.fact("self_test", "seconds", result.seconds(), Units.seconds(result.seconds()));
        found.fact("self_test", "failed", failed, Integer.toString(failed.size()));
        result.failed().forEach(f -> found.problem("the kernel " + f.name() + " of " + f.tier() + " " + f.how()));
        if (!result.trouble().isEmpty()) {
            found.problem("not all kernels could be tested: " + Main.oneLine(result.trouble()));
        }
    }
}
