// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the store reads of its surroundings: variables, home folder, system. Tests give their own. Immutable. */
record Environment(Map<String, String> variables, Path home, String system) {
    static Environment ofProcess() {
        return new Environment(
                System.getenv(), Path.of(System.getProperty("user.home", ".")), System.getProperty("os.name", ""));
    }

    /** A variable's value; null when it is unset or empty. */
    @Nullable
    String get(String... names) {
        for (String name : names) {
            String value = variables.get(name);
            if (value != null && !value.isBlank()) {
                return value.strip();
            }
        }
        return null;
    }

    boolean isOn(String name) {
        String value = get(name);
        return value != null
                && switch (value.toLowerCase(Locale.ROOT)) {
                    case "1", "true", "yes", "on" -> true;
                    default -> false;
                };
    }

    /** A folder that a variable names; null when it is unset or no path. {@code ~/} is this user's home. */
    @Nullable
    Path folder(String name) {
        String value = get(name);
        if (value == null) {
            return null;
        }
        try {
            return value.equals("~") || value.startsWith("~/")
                    ? home.resolve(value.substring(Math.min(2, value.length())))
                    : Path.of(value).toAbsolutePath();
        } catch (InvalidPathException e) {
            return null;
        }
    }

    boolean isWindows() {
        return system.toLowerCase(Locale.ROOT).startsWith("windows");
    }

    boolean isMac() {
        return system.toLowerCase(Locale.ROOT).startsWith("mac");
    }

    /** Puna's own models: {@code PUNA_HOME/models}, or in the place where the system keeps a user's data. */
    Path modelFolder() {
        Path own = folder("PUNA_HOME");
        if (own == null) {
            own = userData().resolve("puna");
        }
        return own.resolve("models").toAbsolutePath();
    }

    private Path userData() {
        if (isWindows()) {
            Path local = folder("LOCALAPPDATA");
            return local != null ? local : home.resolve("AppData").resolve("Local");
        }
        if (isMac()) {
            return home.resolve("Library").resolve("Application Support");
        }
        Path xdg = absolute("XDG_DATA_HOME");
        return xdg != null ? xdg : home.resolve(".local").resolve("share");
    }

    private Path userCache() {
        Path xdg = absolute("XDG_CACHE_HOME");
        return xdg != null ? xdg : home.resolve(".cache");
    }

    /** The XDG rules say that a relative path there is to be ignored. */
    private @Nullable Path absolute(String name) {
        String value = get(name);
        return value != null && value.startsWith("/") ? folder(name) : null;
    }

    /** The folder of the Hugging Face tools. */
    private Path hubHome() {
        Path own = folder("HF_HOME");
        return own != null ? own : userCache().resolve("huggingface");
    }

    Path hubCache() {
        Path own = folder("HF_HUB_CACHE");
        if (own == null) {
            own = folder("HUGGINGFACE_HUB_CACHE");
        }
        return own != null ? own : hubHome().resolve("hub");
    }

    Path hubTokenFile() {
        Path own = folder("HF_TOKEN_PATH");
        return own != null ? own : hubHome().resolve("token");
    }

    /** Where Ollama keeps models: OLLAMA_MODELS, this user's folder, and on Linux that of its service. */
    List<Path> ollamaFolders() {
        Path own = folder("OLLAMA_MODELS");
        if (own != null) {
            return List.of(own);
        }
        Path users = home.resolve(".ollama").resolve("models");
        return isWindows() || isMac() ? List.of(users) : List.of(users, Path.of("/usr/share/ollama/.ollama/models"));
    }

    /** The application's folder, and that of its Python package. */
    List<Path> gpt4allFolders() {
        return List.of(
                userData().resolve("nomic.ai").resolve("GPT4All"),
                home.resolve(".cache").resolve("gpt4all"));
    }

    /** Jan's data folder, by JAN_DATA_FOLDER or where its versions had it: the models of llama.cpp in it. */
    List<Path> janFolders() {
        Path own = folder("JAN_DATA_FOLDER");
        List<Path> data = new ArrayList<>();
        if (own != null) {
            data.add(own);
        } else if (isWindows()) {
            Path roaming = folder("APPDATA");
            data.add((roaming != null ? roaming : home.resolve("AppData").resolve("Roaming"))
                    .resolve("Jan")
                    .resolve("data"));
        } else {
            data.add(userData().resolve("Jan").resolve("data"));
            data.add(home.resolve(".config").resolve("Jan").resolve("data"));
            data.add(home.resolve("jan"));
        }
        return data.stream()
                .flatMap(d -> Stream.of(d.resolve("llamacpp").resolve("models"), d.resolve("models")))
                .toList();
    }

    /** llama.cpp's own cache; newer versions keep models in the hub's layout there, if LLAMA_CACHE names it. */
    Path llamaCache() {
        Path own = folder("LLAMA_CACHE");
        if (own != null) {
            return own;
        }
        if (isMac()) {
            return home.resolve("Library").resolve("Caches").resolve("llama.cpp");
        }
        if (isWindows()) {
            Path local = folder("LOCALAPPDATA");
            return (local != null ? local : home.resolve("AppData").resolve("Local")).resolve("llama.cpp");
        }
        return userCache().resolve("llama.cpp");
    }
}
