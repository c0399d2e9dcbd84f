// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.ModelNotFoundException;
import dev.puna.PunaException;
import dev.puna.internal.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A folder's small files: read whole, up to a limit. Any thread. */
final class Folder {
    /** What Python writes for a number without end, and JSON has no word for: Mamba 2's limit of the steps. */
    private static final Pattern INFINITE = Pattern.compile("(?<=[\\[,:]\\s{0,40})-?Infinity(?=\\s{0,40}[,\\]}])");

    /** Gemma's tokenizer.json has 33 MB. */
    private static final long MOST = 256L << 20;

    private final Path path;

    private Folder(Path path) {
        this.path = path;
    }

    static Folder open(Path path) {
        if (!Files.isDirectory(path)) {
            throw new ModelNotFoundException(path + (Files.exists(path) ? ": is no folder; " : ": no such folder; ")
                    + "a folder with config.json, the weights as safetensors and the tokenizer's files is needed");
        }
        return new Folder(path);
    }

    Path path() {
        return path;
    }

    boolean has(String name) {
        return Files.isRegularFile(path.resolve(name));
    }

    /** The first that there is. */
    @Nullable
    String first(String... names) {
        for (String name : names) {
            if (has(name)) {
                return name;
            }
        }
        return null;
    }

    byte[] bytes(String name) {
        Path file = path.resolve(name);
        try {
            long size = Files.size(file);
            if (size > MOST) {
                throw Damage.in(name, "", "has " + size + " bytes; at most " + MOST + " are read");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new ModelNotFoundException(file + ": no such file", e);
        } catch (IOException e) {
            throw new PunaException(file + ": " + e.getMessage(), e);
        }
    }

    /** UTF-8, strictly. */
    String text(String name) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes(name)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw Damage.in(name, "", "is no UTF-8 text");
        }
    }

    /** The first kilobytes of a text that may be missing, or anything. */
    String front(String name) {
        try (InputStream in = Files.newInputStream(path.resolve(name))) {
            return new String(in.readNBytes(1 << 14), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return ""; // nothing depends on it
        }
    }

    Config json(String name) {
        try {
            String text = text(name);
            boolean own = name.equals("config.json");
            return Config.of(name, "", Json.parse(own ? INFINITE.matcher(text).replaceAll("null") : text));
        } catch (IllegalArgumentException e) {
            throw Damage.in(name, "", String.valueOf(e.getMessage()));
        }
    }

    /** Without fields if there is no such file. */
    Config optional(String name) {
        return has(name) ? json(name) : Config.none(name);
    }

    /** Names of files, sorted. */
    List<String> list(String subfolder, String ending) {
        Path from = path.resolve(subfolder);
        List<String> names = new ArrayList<>();
        if (Files.isDirectory(from)) {
            try (Stream<Path> files = Files.list(from)) {
                files.map(file -> String.valueOf(file.getFileName()))
                        .filter(name -> name.endsWith(ending))
                        .sorted()
                        .forEach(names::add);
            } catch (IOException e) {
                throw new PunaException(from + ": " + e.getMessage(), e);
            }
        }
        return names;
    }
}
