// SPDX-License-Identifier: Apache-2.0
package dev.puna.loading;

import dev.puna.bindings.NativeLibrary;
import dev.puna.bindings.NativeLoadException;
import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program of its own that loads the library and says how that went, for {@link LoadingTest}. */
public final class Probe {
    private Probe() {}

    /**
     * Loads the library once, or once for each of two class loaders.
     *
     * @param arguments {@code twice} or nothing
     * @throws ReflectiveOperationException if the class path lacks the bindings
     * @throws MalformedURLException if the class path holds what is no path
     */
    public static void main(String[] arguments) throws ReflectiveOperationException, MalformedURLException {
        if (arguments.length > 0) {
            List<URL> urls = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
            for (int i = 0; i < 2; i++) {
                ClassLoader loader = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
                Class.forName(Probe.class.getName(), true, loader)
                        .getMethod("load")
                        .invoke(null);
            }
        } else {
            load();
        }
    }

    /** Loads the library by this class's own loader and prints where it was found, or why not. */
    public static void load() {
        try {
            NativeLibrary.load();
            System.out.println("loaded " + NativeLibrary.origin() + "|" + NativeLibrary.file() + "|"
                    + NativeLibrary.cpu().tier());
        } catch (NativeLoadException e) {
            System.out.println("refused " + e.getMessage());
        }
    }
}
