// SPDX-License-Identifier: Apache-2.0
package dev.puna.natives.linux.aarch64;

import dev.puna.bindings.spi.NativeBundle;
import java.io.IOException;
import java.net.URL;

/** Offers this artifact's library to the bindings. */
public final class Bundle implements NativeBundle {
    /** Called by the service loader. */
    public Bundle() {}

    @Override
    public String platform() {
        return "linux-aarch64";
    }

    @Override
    public URL library() throws IOException {
        URL library = Bundle.class.getResource("/META-INF/puna/linux-aarch64/libpuna.so");
        if (library == null) {
            throw new IOException("the artifact puna-natives-linux-aarch64 holds no libpuna.so");
        }
        return library;
    }
}
