// SPDX-License-Identifier: Apache-2.0
/** The native library for linux on aarch64. */
module dev.puna.natives.linux.aarch64 {
    requires dev.puna.bindings;

    provides dev.puna.bindings.spi.NativeBundle with
            dev.puna.natives.linux.aarch64.Bundle;
}
