// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Room on the store's disk. */
final class Room {
    /** Left free beyond a model's own bytes. */
    private static final long RESERVE = 16L << 20;

    private Room() {}

    /**
     * Bytes that this user may still write on the disk of a folder that need not exist yet; 0 when it cannot be told.
     */
    static long free(Path folder) {
        for (Path at = folder.toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.isDirectory(at)) {
                try {
                    return Files.getFileStore(at).getUsableSpace();
                } catch (IOException e) {
                    return 0;
                }
            }
        }
        return 0;
    }

    /** Refuses to begin what cannot end well. */
    static void require(Settings settings, ModelReference reference, long bytes) {
        long free = settings.freeBytes().applyAsLong(settings.folder());
        if (bytes >= 0 && bytes + RESERVE > free) {
            throw new DownloadException(
                    reference + " needs " + Sizes.text(bytes) + " more, but only " + Sizes.text(free) + " are free in "
                            + settings.folder() + "; make room, or choose another folder with PUNA_HOME");
        }
    }
}
