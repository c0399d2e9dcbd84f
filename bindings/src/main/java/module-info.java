// SPDX-License-Identifier: Apache-2.0
/** The native library as Java sees it: loading, owners, errors. Internal to Puna; use the module {@code dev.puna}. */
module dev.puna.bindings {
    requires static transitive org.jspecify;

    exports dev.puna.bindings to
            dev.puna;
    exports dev.puna.bindings.spi to
            dev.puna.natives.linux.aarch64,
            dev.puna.natives.linux.x86_64,
            dev.puna.natives.macos.aarch64,
            dev.puna.natives.macos.x86_64,
            dev.puna.natives.windows.x86_64;

    uses dev.puna.bindings.spi.NativeBundle;
}
