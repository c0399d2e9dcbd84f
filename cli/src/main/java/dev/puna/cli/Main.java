// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

/** Where the command line begins. */
public final class Main {
    private Main() {}

    /**
     * Prints the version.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        System.out.println("puna 0.1.0");
    }
}
