// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** A file of what is right, as the test data's README describes it: cases by name, each with values by key. */
final class Goldens {
    private final Map<String, Map<String, String>> cases = new LinkedHashMap<>();

    private Goldens() {}

    static Goldens of(String model) {
        Goldens all = new Goldens();
        Map<String, String> current = new LinkedHashMap<>();
        Path file = Cli.DATA.resolve("tiny").resolve(model + ".golden");
        try {
            for (String line : Files.readString(file).split("\n")) {
                int colon = line.indexOf(": ");
                String key = line.substring(0, colon);
                String value = line.substring(colon + 2);
                if (key.equals("case")) {
                    current = new LinkedHashMap<>();
                    all.cases.put(value, current);
                } else {
                    current.put(key, value);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    String text(String name, String key) {
        return cases.get(name).get(key).translateEscapes();
    }

    String raw(String name, String key) {
        return cases.get(name).get(key);
    }

    int[] integers(String name, String key) {
        return Arrays.stream(raw(name, key).split(" "))
                .mapToInt(Integer::parseInt)
                .toArray();
    }

    double[] reals(String name, String key) {
        return Arrays.stream(raw(name, key).split(" "))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }
}
