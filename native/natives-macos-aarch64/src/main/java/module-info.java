// SPDX-License-Identifier: Apache-2.0
/** The native library for macos on aarch64. */
module dev.puna.natives.macos.aarch64 {
    requires dev.puna.bindings;

    provides dev.puna.bindings.spi.NativeBundle with
            dev.puna.natives.macos.aarch64.Bundle;
}
