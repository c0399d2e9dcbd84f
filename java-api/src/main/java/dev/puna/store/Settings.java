// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a store was built with. Immutable.
 *
 * @param offline why nothing may be fetched, or null when it may
 * @param connectTimeout for one connection
 * @param answerTimeout until an answer's headers are there
 * @param stallTimeout without a byte, until a connection is given up
 * @param retryDelay before the second attempt; doubles with each further one
 * @param freeBytes the room on a folder's disk
 */
record Settings(
        Path folder,
        Environment environment,
        Catalogue catalogue,
        @Nullable String offline,
        URI endpoint,
        @Nullable String token,
        @Nullable URI proxyAddress,
        @Nullable ProxySelector proxies,
        @Nullable List<String> pip,
        Duration connectTimeout,
        Duration answerTimeout,
        Duration stallTimeout,
        Duration retryDelay,
        ToLongFunction<Path> freeBytes,
        @Nullable Consumer<? super FetchProgress> listener) {
    /** Attempts in a row that bring nothing new, before a source is given up. */
    static final int MAX_ATTEMPTS = 5;

    /** The limit for connecting to a source that others stand behind. */
    static final Duration IMPATIENT_CONNECT = Duration.ofSeconds(3);

    /** Never printed: a token is a secret. */
    @Override
    public String toString() {
        return "Settings[" + folder + ", " + endpoint + "]";
    }
}
