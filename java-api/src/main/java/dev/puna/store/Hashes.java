// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/** SHA-256, as 64 lower-case hex digits. */
final class Hashes {
    private static final Pattern SHA256 = Pattern.compile("[0-9a-fA-F]{64}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    private Hashes() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    static String ofText(String text) {
        MessageDigest digest = sha256();
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        return hex(digest);
    }

    static String ofFile(Path file, ProgressMeter meter) throws IOException {
        MessageDigest digest = sha256();
        byte[] buffer = new byte[1 << 18];
        long done = 0;
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                Interrupts.check();
                digest.update(buffer, 0, n);
                done += n;
                meter.at(done);
            }
        }
        return hex(digest);
    }

    static boolean isSha256(String text) {
        return SHA256.matcher(text).matches();
    }

    static boolean isCommit(String text) {
        return COMMIT.matcher(text.toLowerCase(Locale.ROOT)).matches();
    }
}
