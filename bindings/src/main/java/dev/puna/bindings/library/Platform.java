// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import java.util.Locale;

/**
 * An operating system and a processor, named as the artifacts are.
 *
 * @param os {@code linux}, {@code macos}, {@code windows}, or what the JVM says
 * @param architecture {@code x86_64}, {@code aarch64}, or what the JVM says
 */
record Platform(String os, String architecture) {
    /** The platform of this JVM. */
    static Platform current() {
        return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    }

    static Platform of(String osName, String osArchitecture) {
        String name = osName.toLowerCase(Locale.ROOT);
        String os = name.startsWith("linux")
                ? "linux"
                : name.startsWith("mac") || name.startsWith("darwin")
                        ? "macos"
                        : name.startsWith("windows") ? "windows" : name.replace(' ', '-');
        String architecture = switch (osArchitecture.toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64", "x64" -> "x86_64";
            case "aarch64", "arm64" -> "aarch64";
            case String other -> other;
        };
        return new Platform(os, architecture);
    }

    /** The library's file name on this platform. */
    String libraryFile() {
        return switch (os) {
            case "windows" -> "puna.dll";
            case "macos" -> "libpuna.dylib";
            default -> "libpuna.so";
        };
    }

    @Override
    public String toString() {
        return os + "-" + architecture;
    }
}
