// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** What an independent implementation gave: a file of {@code key: values} lines, as the test data's README says. */
public final class Golden {
    private final Map<String, String> values;

    private Golden(Map<String, String> values) {
        this.values = values;
    }

    /**
     * Reads a file's cases.
     *
     * @param file a {@code .golden}
     * @return its cases by name, in order
     */
    public static Map<String, Golden> cases(Path file) {
        Map<String, Golden> cases = new LinkedHashMap<>();
        Map<String, String> current = new LinkedHashMap<>();
        for (String line : lines(file)) {
            int colon = line.indexOf(": ");
            String key = line.substring(0, colon);
            String value = line.substring(colon + 2);
            if (key.equals("case")) {
                current = new LinkedHashMap<>();
                cases.put(value, new Golden(current));
            } else {
                current.put(key, value);
            }
        }
        return cases;
    }

    /**
     * A file's lines, split at LF alone.
     *
     * @param file UTF-8
     * @return without their ends
     */
    public static List<String> lines(Path file) {
        try {
            String[] lines = Files.readString(file).split("\n", -1);
            return List.of(lines).subList(0, lines.length - 1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * A text as the file writes it.
     *
     * @param escaped with {@code \\}, {@code \n}, {@code \r}, {@code \t} and {@code \xHH}
     * @return the text meant
     */
    public static String unescaped(String escaped) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < escaped.length(); i++) {
            char c = escaped.charAt(i);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            i++;
            switch (escaped.charAt(i)) {
                case 'n' -> text.append('\n');
                case 'r' -> text.append('\r');
                case 't' -> text.append('\t');
                case 'x' -> {
                    text.append((char) Integer.parseInt(escaped.substring(i + 1, i + 3), 16));
                    i += 2;
                }
                default -> text.append(escaped.charAt(i));
            }
        }
        return text.toString();
    }

    /**
     * Ids of a line.
     *
     * @param line separated by a space; may be empty
     * @return the numbers
     */
    public static int[] numbers(String line) {
        return line.isEmpty()
                ? new int[0]
                : Stream.of(line.split(" ")).mapToInt(Integer::parseInt).toArray();
    }

    /**
     * Whether there is a value.
     *
     * @param key in the case, perhaps
     * @return whether it is
     */
    public boolean has(String key) {
        return values.containsKey(key);
    }

    /**
     * A value.
     *
     * @param key in the case
     * @return unescaped
     */
    public String text(String key) {
        return unescaped(value(key));
    }

    /**
     * A value of whole numbers.
     *
     * @param key in the case
     * @return them
     */
    public int[] ids(String key) {
        return numbers(value(key));
    }

    /**
     * A value of numbers.
     *
     * @param key in the case
     * @return them
     */
    public List<Float> floats(String key) {
        List<Float> floats = new ArrayList<>();
        for (String number : value(key).split(" ")) {
            floats.add(Float.parseFloat(number));
        }
        return floats;
    }

    private String value(String key) {
        return Objects.requireNonNull(values.get(key), key);
    }
}
