// SPDX-License-Identifier: Apache-2.0
package dev.puna.convert;

import java.nio.file.Path;

/** A conversion in a process of its own. */
final class ConvertMain {
    private ConvertMain() {}

    public static void main(String[] arguments) {
        System.out.println(Convert.folder(Path.of(arguments[0]))
                .to(Path.of(arguments[1]))
                .type(WeightType.Q4_0)
                .run());
    }
}
