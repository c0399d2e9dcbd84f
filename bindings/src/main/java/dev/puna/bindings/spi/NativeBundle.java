// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.spi;

import java.io.IOException;
import java.net.URL;

/** A compiled library inside an artifact, for one platform. */
public interface NativeBundle {
    /**
     * The platform that the library was compiled for.
     *
     * @return operating system and processor, for example {@code linux-x86_64}
     */
    String platform();

    /**
     * Where the library's bytes are.
     *
     * @return an address inside the artifact
     * @throws IOException if the artifact does not hold what it should
     */
    URL library() throws IOException;
}
