// SPDX-License-Identifier: Apache-2.0
/** The native library for macos on x86_64. */
module dev.puna.natives.macos.x86_64 {
    requires dev.puna.bindings;

    provides dev.puna.bindings.spi.NativeBundle with
            dev.puna.natives.macos.x86_64.Bundle;
}
