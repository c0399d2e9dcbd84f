// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {
    @ParameterizedTest
    @CsvSource({
        "Linux,              amd64,   linux-x86_64,   libpuna.so",
        "Linux,              aarch64, linux-aarch64,  libpuna.so",
        "Mac OS X,           x86_64,  macos-x86_64,   libpuna.dylib",
        "Mac OS X,           aarch64, macos-aarch64,  libpuna.dylib",
        "Windows Server 2025, amd64,  windows-x86_64, puna.dll",
        "Windows 11,         arm64,   windows-aarch64, puna.dll",
        "FreeBSD,            riscv64, freebsd-riscv64, libpuna.so",
    })
    void isNamedAsTheArtifactsAre(String os, String architecture, String name, String file) {
        Platform platform = Platform.of(os, architecture);
        assertThat(platform).hasToString(name);
        assertThat(platform.libraryFile()).isEqualTo(file);
    }
}
