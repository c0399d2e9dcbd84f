// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The name of one part of a split file, {@code stem-00002-of-00003.gguf}. The core finds the parts by these names,
 * beside each other.
 *
 * @param stem what stands before the number, folders included
 * @param count how many parts there are, 2 at least
 */
record SplitName(String stem, int count, String ending) {
    private static final Pattern SPLIT =
            Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})(\\.gguf)$", Pattern.CASE_INSENSITIVE);

    /** What a name says, if it is that of a part of several. */
    static Optional<SplitName> of(String name) {
        Matcher split = SPLIT.matcher(name);
        if (!split.matches()) {
            return Optional.empty();
        }
        int number = Integer.parseInt(split.group(2));
        int count = Integer.parseInt(split.group(3));
        return count < 2 || number < 1 || number > count
                ? Optional.empty()
                : Optional.of(new SplitName(split.group(1), count, split.group(4)));
    }

    /** The name of a part, from 1 on. */
    String part(int number) {
        return String.format(Locale.ROOT, "%s-%05d-of-%05d%s", stem, number, count, ending);
    }

    /** The names of all parts. */
    List<String> parts() {
        return IntStream.rangeClosed(1, count).mapToObj(this::part).toList();
    }

    /** The files that belong to a model: itself, or all parts, whether they are there or not. */
    static List<Path> files(Path path) {
        return of(path.getFileName().toString())
                .map(split -> split.parts().stream().map(path::resolveSibling).toList())
                .orElse(List.of(path));
    }

    /** The bytes of all files of a model; fails where one is missing. */
    static long size(Path path) throws IOException {
        long size = 0;
        for (Path file : files(path)) {
            size += Files.size(file);
        }
        return size;
    }

    /** One checksum for several: of the parts' own, in hex, one after the other. */
    static String checksum(List<String> sha256) {
        return sha256.size() == 1 ? sha256.getFirst() : Hashes.ofText(String.join("", sha256));
    }
}
