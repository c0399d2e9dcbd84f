// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import dev.puna.bindings.spi.NativeBundle;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The natives artifacts that this program was started with. */
final class Bundles {
    private Bundles() {}

    /**
     * A library inside an artifact.
     *
     * @param library where its bytes are
     * @param file the same as a file, when the artifact is a folder; null when it is packed
     */
    record Found(URL library, @Nullable Path file) {}

    /**
     * All libraries for a platform.
     *
     * @param platform which
     * @param note hears why there is none
     */
    static List<Found> find(Platform platform, Consumer<String> note) {
        Set<String> others = new LinkedHashSet<>();
        List<Found> found = new ArrayList<>();
        ClassLoader own = Bundles.class.getClassLoader();
        search(own, platform, others, found, note);
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        if (found.isEmpty() && context != null && !context.equals(own)) {
            search(context, platform, others, found, note);
        }
        if (found.isEmpty()) {
            String there = others.isEmpty() ? "" : " (there is " + String.join(", ", others) + ")";
            note.accept("not on the module path or class path" + there);
        }
        return found;
    }

    private static void search(
            ClassLoader loader, Platform platform, Set<String> others, List<Found> found, Consumer<String> note) {
        try {
            for (NativeBundle bundle : ServiceLoader.load(NativeBundle.class, loader)) {
                if (bundle.platform().equals(platform.toString())) {
                    found.add(of(bundle.library()));
                } else {
                    others.add("puna-natives-" + bundle.platform());
                }
            }
        } catch (ServiceConfigurationError | IOException | IllegalAccessError e) {
            note.accept(String.valueOf(e.getMessage()));
        }
        if (found.isEmpty()) {
            // An artifact on the class path while the bindings are a module: its service is not visible, its files are.
            URL library = loader.getResource("META-INF/puna/" + platform + "/" + platform.libraryFile());
            if (library != null) {
                found.add(of(library));
            }
        }
    }

    private static Found of(URL library) {
        if ("file".equals(library.getProtocol())) {
            try {
                return new Found(library, Path.of(library.toURI()));
            } catch (URISyntaxException | IllegalArgumentException e) {
                return new Found(library, null);
            }
        }
        return new Found(library, null);
    }
}
