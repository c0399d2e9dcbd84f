// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;

/** Texts that are given as arguments or, if there are none, as the lines of standard input. */
final class Lines {
    private Lines() {}

    static List<String> of(List<String> arguments, Streams streams) throws IOException {
        if (!arguments.isEmpty()) {
            return arguments;
        }
        String all = new String(streams.in().readAllBytes(), StandardCharsets.UTF_8);
        return all.lines().filter(line -> !line.isBlank()).toList();
    }

    static String joined(List<Float> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(" "));
    }
}
