// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/** A process of its own that fetches one model: {@code FetchMain HOME HUB REFERENCE}. */
final class FetchMain {
    private FetchMain() {}

    public static void main(String[] args) {
        Path home = Path.of(args[0]);
        ModelStore store = Stores.builder(home, URI.create(args[1])).build();
        System.out.println("fetched " + store.fetch(ModelReference.parse(args[2]), p -> System.out.println(p.phase())));
    }

    /** Starts it with this test's own classes. */
    static Process start(Path home, URI hub, String reference) throws Exception {
        List<String> paths = new ArrayList<>();
        for (Class<?> type : List.of(ModelStore.class, FetchMain.class, LoggerFactory.class)) {
            paths.add(root(type));
        }
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Xshare:auto",
                        "-cp",
                        String.join(System.getProperty("path.separator"), paths),
                        FetchMain.class.getName(),
                        home.toString(),
                        hub.toString(),
                        reference)
                .redirectErrorStream(true)
                .start();
    }

    /**
     * The folder or jar that a class lies in; a test's class is patched into the module, so its module does not tell.
     */
    private static String root(Class<?> type) throws URISyntaxException {
        String name = "/" + type.getName().replace('.', '/') + ".class";
        String url = String.valueOf(type.getResource(name.substring(name.lastIndexOf('/') + 1)));
        String root = url.substring(0, url.length() - name.length());
        if (root.startsWith("jar:")) {
            root = root.substring(4, root.length() - 1);
        }
        return Path.of(new URI(root)).toString();
    }
}
