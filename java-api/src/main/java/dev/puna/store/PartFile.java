// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * A file on its way: bytes are appended and hashed. Beside it stands which remote bytes it is the beginning of, so that
 * a later process can go on. Invariant: the digest covers exactly the first {@code hashed} bytes, and hashed is at most
 * the length. One thread, under the key's lock. Failing to write throws {@link CannotWrite}, which no retry cures.
 */
final class PartFile implements AutoCloseable {
    /** The store's disk refuses: full, read-only, gone. */
    static final class CannotWrite extends IOException {
        private static final long serialVersionUID = 1L;

        CannotWrite(Path file, IOException cause) {
            super("cannot write " + file + ": " + Reasons.of(cause), cause);
        }
    }

    private final Path file;
    private final Path meta;
    private final RandomAccessFile out;
    private MessageDigest digest = Hashes.sha256();
    private long hashed;
    private long length;
    private String identity = "";
    private @Nullable String validator;

    PartFile(Path file) throws CannotWrite {
        this.file = file;
        this.meta = file.resolveSibling(file.getFileName() + ".properties");
        try {
            this.out = new RandomAccessFile(file.toFile(), "rw");
            this.length = out.length();
        } catch (IOException e) {
            throw new CannotWrite(file, e);
        }
        try {
            Properties p = StoreIndex.readProperties(meta);
            identity = p.getProperty("identity", "");
            validator = p.getProperty("validator");
        } catch (IOException | IllegalArgumentException e) {
            identity = ""; // unknown beginning: will not match, and be started anew
        }
    }

    Path file() {
        return file;
    }

    long length() {
        return length;
    }

    /** The strong ETag that the bytes came with, if they had one. */
    @Nullable
    String validator() {
        return validator;
    }

    /** Keeps what is there if it is the beginning of these remote bytes; otherwise starts anew. */
    void beginningOf(String newIdentity) throws CannotWrite {
        if (!identity.equals(newIdentity)) {
            restart();
            identity = newIdentity;
            validator = null;
            note();
        }
    }

    /** Notes the ETag of the bytes that follow. */
    void validator(@Nullable String newValidator) throws CannotWrite {
        if (!java.util.Objects.equals(newValidator, validator)) {
            validator = newValidator;
            note();
        }
    }

    private void note() throws CannotWrite {
        Properties p = new Properties();
        p.setProperty("identity", identity);
        if (validator != null) {
            p.setProperty("validator", validator);
        }
        try {
            StoreIndex.writeProperties(meta, p);
        } catch (IOException e) {
            throw new CannotWrite(meta, e);
        }
    }

    void restart() throws CannotWrite {
        try {
            out.setLength(0);
        } catch (IOException e) {
            throw new CannotWrite(file, e);
        }
        digest = Hashes.sha256();
        hashed = 0;
        length = 0;
    }

    void append(byte[] bytes, int count) throws IOException {
        try {
            hashRest();
            out.seek(length);
            out.write(bytes, 0, count);
        } catch (java.io.InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            throw new CannotWrite(file, e);
        }
        length += count;
        digest.update(bytes, 0, count);
        hashed = length;
    }

    /** Reads what an earlier process left into the digest. */
    private void hashRest() throws IOException {
        if (hashed == length) {
            return;
        }
        byte[] buffer = new byte[1 << 18];
        out.seek(hashed);
        while (hashed < length) {
            Interrupts.check();
            int n = out.read(buffer, 0, (int) Math.min(buffer.length, length - hashed));
            if (n < 0) {
                throw new IOException("it became shorter");
            }
            digest.update(buffer, 0, n);
            hashed += n;
        }
    }

    /** Makes the bytes durable and gives their checksum; nothing may be appended afterwards. */
    String finish() throws IOException {
        try {
            hashRest();
            out.getFD().sync();
        } catch (java.io.InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            throw new CannotWrite(file, e);
        }
        return Hashes.hex(digest);
    }

    /** Closes and deletes it: its bytes are worth nothing. */
    void discard() throws IOException {
        close();
        Files.deleteIfExists(file);
        Files.deleteIfExists(meta);
    }

    /** Deletes only the note, after the file was renamed. */
    void forget() throws IOException {
        Files.deleteIfExists(meta);
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
