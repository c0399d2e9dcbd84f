// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Stores for tests: with a folder and an environment of their own, and without long pauses. */
final class Stores {
    private Stores() {}

    static Environment environment(Path home, String... namesAndValues) {
        Map<String, String> variables = new HashMap<>();
        String path = System.getenv("PATH");
        if (path != null) {
            variables.put("PATH", path);
        }
        for (int i = 0; i < namesAndValues.length; i += 2) {
            variables.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return new Environment(variables, home, "Linux");
    }

    static ModelStore.Builder builder(Path home, URI hub, String... namesAndValues) {
        return ModelStore.builder()
                .environment(environment(home, namesAndValues))
                .folder(home.resolve("store"))
                .endpoint(hub)
                .retryDelay(Duration.ofMillis(5));
    }
}
