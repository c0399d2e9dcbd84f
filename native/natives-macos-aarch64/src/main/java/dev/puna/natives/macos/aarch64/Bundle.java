// SPDX-License-Identifier: Apache-2.0
package dev.puna.natives.macos.aarch64;

import dev.puna.bindings.spi.NativeBundle;
import java.io.IOException;
import java.net.URL;

/** Offers this artifact's library to the bindings. */
public final class Bundle implements NativeBundle {
    /** Called by the service loader. */
    public Bundle() {}

    @Override
    public String platform() {
        return "macos-aarch64";
    }

    @Override
    public URL library() throws IOException {
        URL library = Bundle.class.getResource("/META-INF/puna/macos-aarch64/libpuna.dylib");
        if (library == null) {
            throw new IOException("the artifact puna-natives-macos-aarch64 holds no libpuna.dylib");
        }
        return library;
    }
}
