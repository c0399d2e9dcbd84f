// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Copies a resource of the application into a part: a jar's bytes cannot be mapped. A later version of the application,
 * or another one, may have other bytes under the same name. So an entry's source names length and CRC beside it, which
 * a jar tells without being read, and a copy is only used while they are the same. One thread, under the key's lock.
 */
final class ResourceFetch {
    private final Settings settings;
    private final ModelReference.Resource source;
    private final ProgressMeter meter;

    ResourceFetch(Settings settings, ModelReference.Resource source, ProgressMeter meter) {
        this.settings = settings;
        this.source = source;
        this.meter = meter;
    }

    /** The resource's own file, or the copy of what it is now. */
    static Optional<Path> present(ModelReference.Resource source, StoreIndex index) {
        URL url = find(source);
        if (url == null) {
            return Optional.empty();
        }
        Path file = plainFile(url);
        if (file != null) {
            return Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
        }
        String now = identity(source, url);
        return now == null
                ? Optional.empty()
                : index.find(source).filter(m -> m.source().equals(now)).map(StoredModel::path);
    }

    static OptionalLong size(ModelReference.Resource source) {
        try {
            long size = connect(required(source)).getContentLengthLong();
            return size >= 0 ? OptionalLong.of(size) : OptionalLong.empty();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    HubFetch.Fetched run(StoreIndex index, Path partPath) throws IOException {
        URL url = required(source);
        Path file = plainFile(url);
        if (file != null) { // a plain file is never copied: here it is a folder, or went meanwhile
            throw new ModelNotFoundException(source + " is no file: " + file);
        }
        if (index.find(source).isPresent()) {
            forget(index); // the copy of other bytes
        }
        URLConnection connection = connect(url);
        long size = connection.getContentLengthLong();
        Room.require(settings, source, Math.max(size, 0));
        meter.phase(FetchProgress.Phase.UNPACKING, source.name(), 0, size);
        CRC32 crc = new CRC32();
        try (InputStream in = connection.getInputStream();
                PartFile part = new PartFile(partPath)) {
            part.beginningOf(source.toString());
            part.restart();
            byte[] buffer = new byte[1 << 17];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                Interrupts.check();
                part.append(buffer, n);
                crc.update(buffer, 0, n);
                meter.at(part.length());
            }
            String copied = identity(source, part.length(), crc.getValue());
            String announced = identity(source, url);
            if (announced != null && !announced.equals(copied)) {
                part.discard();
                throw new DownloadException("the bytes of " + source + " are wrong: " + copied + " instead of "
                        + announced + "; nothing of them was kept");
            }
            return new HubFetch.Fetched(partPath, source.name(), part.finish(), copied);
        }
    }

    private void forget(StoreIndex index) {
        try {
            index.remove(source);
        } catch (IOException e) {
            org.slf4j.LoggerFactory.getLogger(ModelStore.class)
                    .debug("an old copy of {} stays: {}", source, Reasons.of(e));
        }
    }

    private static String identity(ModelReference.Resource source, long size, long crc) {
        return source + " (" + size + " bytes, CRC " + String.format(Locale.ROOT, "%08x", crc) + ")";
    }

    /** What a jar says of its entry; null where nothing is said, and only reading would tell. */
    private static @Nullable String identity(ModelReference.Resource source, URL url) {
        try {
            if (connect(url) instanceof JarURLConnection jar) {
                JarEntry entry = jar.getJarEntry();
                if (entry != null && entry.getSize() >= 0 && entry.getCrc() >= 0) {
                    return identity(source, entry.getSize(), entry.getCrc());
                }
            }
        } catch (IOException e) {
            return null; // reading it will give the reason
        }
        return null;
    }

    private static URLConnection connect(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        // A jar that Java keeps open would give its old list of entries after it was replaced.
        connection.setUseCaches(false);
        return connection;
    }

    private static @Nullable URL find(ModelReference.Resource source) {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        URL url = context == null ? null : context.getResource(source.name());
        return url != null ? url : ClassLoader.getSystemResource(source.name());
    }

    private static URL required(ModelReference.Resource source) {
        URL url = find(source);
        if (url == null) {
            throw new ModelNotFoundException("there is no resource " + source.name()
                    + " on the class path (in a named module its package has to be open)");
        }
        return url;
    }

    private static @Nullable Path plainFile(URL url) {
        try {
            return url.getProtocol().equals("file") ? Path.of(url.toURI()) : null;
        } catch (URISyntaxException | IllegalArgumentException e) {
            return null;
        }
    }
}
