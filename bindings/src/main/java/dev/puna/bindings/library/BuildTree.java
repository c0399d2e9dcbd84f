// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;

/** The source tree that these classes were built in, if they still lie there. */
final class BuildTree {
    private BuildTree() {}

    /** Where CMake puts the library; empty outside a source tree. The working directory plays no part. */
    static List<Path> candidates(Platform platform) {
        CodeSource source = BuildTree.class.getProtectionDomain().getCodeSource();
        if (source == null
                || source.getLocation() == null
                || !"file".equals(source.getLocation().getProtocol())) {
            return List.of();
        }
        try {
            Path folder = Path.of(source.getLocation().toURI()).toAbsolutePath();
            for (int level = 0; level < 4 && folder != null; level++) {
                folder = folder.getParent();
                if (folder != null && Files.isRegularFile(folder.resolve("native/include/puna.h"))) {
                    Path build = folder.resolve("native").resolve("build").resolve("release");
                    return List.of(build.resolve(platform.libraryFile()));
                }
            }
        } catch (URISyntaxException | IllegalArgumentException e) {
            return List.of(); // a location that is no file: not a build tree
        }
        return List.of();
    }
}
