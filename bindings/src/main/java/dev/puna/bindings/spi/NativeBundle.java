// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.spi;

import java.io.IOException;
import java.io.InputStream;

/** A compiled library inside an artifact, for one platform. */
public interface NativeBundle {
    /**
     * The platform that the library was compiled for.
     *
     * @return operating system and processor, for example {@code linux-x86_64}
     */
    String platform();

    /**
     * Opens the library's bytes.
     *
     * @return a stream that the caller closes
     * @throws IOException if the artifact does not hold what it should
     */
    InputStream open() throws IOException;
}
