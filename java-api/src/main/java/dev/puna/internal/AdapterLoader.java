// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.GenerationInterruptedException;
import dev.puna.PunaException;
import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeModel;
import dev.puna.bindings.NativeStatus;
import dev.puna.bindings.NativeTask;
import dev.puna.internal.convert.AdapterConverter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads adapters on a platform thread: GGUF files, and PEFT's folders by way of one. */
public final class AdapterLoader {
    private AdapterLoader() {}

    /**
     * Loads an adapter. An interrupt cancels.
     *
     * @param model whose it is
     * @param path a GGUF file, or a folder that PEFT saved
     * @return the adapter, to be closed
     */
    public static NativeAdapter load(NativeModel model, Path path) {
        if (!Files.isDirectory(path)) {
            return loadFile(model, path);
        }
        try {
            Path temporary = Files.createTempDirectory("puna-adapter");
            try {
                Path file = temporary.resolve("adapter.gguf");
                Platform.call(
                        "convert",
                        () -> new AdapterConverter(path, file, null, null, bytes -> {}).run(model.file()),
                        () -> {});
                return loadFile(model, file);
            } finally {
                Files.deleteIfExists(temporary.resolve("adapter.gguf"));
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw new PunaException(path + ": it can't be converted: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            throw Failures.of(e);
        }
    }

    private static NativeAdapter loadFile(NativeModel model, Path file) {
        try (NativeTask task = NativeTask.create()) {
            return Platform.call("adapter", () -> NativeAdapter.load(model, file, task), task::cancel);
        } catch (NativeException e) {
            if (e.status() == NativeStatus.CANCELLED) {
                throw new GenerationInterruptedException(null);
            }
            if (e.status() == NativeStatus.INVALID_ARGUMENT) { // another model's: say which tensor
                throw new IllegalArgumentException(e.subject() + ": " + e.getMessage(), e);
            }
            throw Failures.of(e);
        } finally {
            Core.drainLog();
        }
    }
}
