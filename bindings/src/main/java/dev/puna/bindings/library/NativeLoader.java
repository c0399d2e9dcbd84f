// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import dev.puna.bindings.NativeLoadException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Opens the native library, once, and never closes it. Any thread; a failed attempt leaves nothing behind and may be
 * repeated.
 *
 * <p>The places, in order: the path that {@link #load} was given; the system property {@value #PROPERTY}; the natives
 * artifact on the module path or class path; the build tree that these classes were built in. The first two are orders:
 * when they fail, nothing else is tried.
 *
 * <p>The library is opened by its path, not through the class loader, so that two class loaders in one JVM share it.
 */
public final class NativeLoader {
    /** Names the library's file, or the folder that holds it. */
    public static final String PROPERTY = "puna.library.path";

    private static final Object LOCK = new Object();
    private static volatile @Nullable Loaded loaded;

    private NativeLoader() {}

    /**
     * The library in use.
     *
     * @param file where it was opened
     * @param origin which place that is, in words
     * @param symbols its functions
     * @param version what the library says its version is
     */
    public record Loaded(Path file, String origin, SymbolLookup symbols, String version) {}

    /** For the generated bindings: the functions of the library, which {@link #load} has opened before. */
    public static SymbolLookup symbols() {
        return load(null).symbols();
    }

    /**
     * Opens the library unless it is open.
     *
     * @param explicit the library's file, or null to search
     * @throws NativeLoadException if there is none, or another one is open already
     */
    public static Loaded load(@Nullable Path explicit) {
        Loaded now = loaded;
        if (now == null) {
            synchronized (LOCK) {
                now = loaded;
                if (now == null) {
                    now = new Search(Platform.current()).run(explicit);
                    loaded = now;
                }
            }
        }
        if (explicit != null && !sameFile(explicit, now.file())) {
            String reason = "the library " + now.file() + " is in use already";
            throw new NativeLoadException("Can't load " + explicit + ": " + reason, List.of(explicit + ": " + reason));
        }
        return now;
    }

    private static boolean sameFile(Path a, Path b) {
        try {
            return Files.isSameFile(a, b);
        } catch (IOException e) {
            return false;
        }
    }

    /** One search through all places. */
    private static final class Search {
        private final Platform platform;
        private final List<String> tried = new ArrayList<>();

        Search(Platform platform) {
            this.platform = platform;
        }

        Loaded run(@Nullable Path explicit) {
            Loaded found;
            String property = System.getProperty(PROPERTY);
            if (explicit != null) {
                found = open("the given path", inFolder(explicit));
            } else if (property != null && !property.isEmpty()) {
                found = open("system property " + PROPERTY, inFolder(Path.of(property)));
            } else {
                found = fromArtifact();
                if (found == null) {
                    found = fromBuildTree();
                }
            }
            if (found == null) {
                throw new NativeLoadException(
                        "No usable native library for " + platform + ". Tried: " + String.join("; ", tried)
                                + ". Add the artifact dev.puna:puna-natives-" + platform
                                + ", or name the library's file by -D"
                                + PROPERTY + "=FILE.",
                        tried);
            }
            return found;
        }

        private Path inFolder(Path place) {
            return Files.isDirectory(place) ? place.resolve(platform.libraryFile()) : place;
        }

        private @Nullable Loaded fromArtifact() {
            String origin = "artifact puna-natives-" + platform;
            List<Bundles.Found> bundles = Bundles.find(platform, message -> tried.add(origin + ": " + message));
            for (Bundles.Found bundle : bundles) {
                Path file = bundle.file();
                Loaded found = file != null
                        ? open(origin, file)
                        : new Unpacker(Unpacker.folders(platform), platform.libraryFile())
                                .unpack(bundle.library(), (path, note) -> open(origin, path, note), tried::add);
                if (found != null) {
                    return found;
                }
            }
            return null;
        }

        private @Nullable Loaded fromBuildTree() {
            for (Path file : BuildTree.candidates(platform)) {
                Loaded found = open("build tree", file);
                if (found != null) {
                    return found;
                }
            }
            return null;
        }

        private @Nullable Loaded open(String origin, Path file) {
            return open(origin, file, tried::add);
        }

        private @Nullable Loaded open(String origin, Path file, Consumer<String> note) {
            Path path = file.toAbsolutePath();
            String reason;
            if (!Files.isRegularFile(path)) {
                reason = "no such file";
            } else if (!Refusal.looksLikeALibrary(path)) {
                reason = "it is no shared library";
            } else {
                try {
                    SymbolLookup symbols = SymbolLookup.libraryLookup(path, Arena.global());
                    String version = AbiCheck.check(symbols);
                    return new Loaded(path, origin, symbols, version);
                } catch (IllegalArgumentException e) {
                    reason = Refusal.of(path);
                } catch (IllegalCallerException e) {
                    reason = "native access is denied; start Java with --enable-native-access=" + moduleName();
                } catch (AbiCheck.MismatchException e) {
                    reason = String.valueOf(e.getMessage());
                }
            }
            note.accept(origin + " (" + path + "): " + reason);
            return null;
        }

        private static String moduleName() {
            Module module = NativeLoader.class.getModule();
            return module.isNamed() ? module.getName() : "ALL-UNNAMED";
        }
    }
}
