// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A GGUF 3 file of four metadata entries and one tensor, byte by byte. */
final class SmallGguf {
    private final ByteBuffer out = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);

    private SmallGguf() {}

    static byte[] bytes() {
        return new SmallGguf().write();
    }

    private byte[] write() {
        out.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(3).putLong(1).putLong(4);
        text("general.name").putInt(8);
        text("d\u00e9j\u00e0");
        text("a.count").putInt(4).putInt(7);
        text("a.real").putInt(6).putFloat(0.5f);
        text("a.words").putInt(9).putInt(8).putLong(2);
        text("one");
        text("two");
        text("t").putInt(2).putLong(2).putLong(3).putInt(0).putLong(0);
        while (out.position() % 32 != 0) {
            out.put((byte) 0);
        }
        for (int i = 0; i < 6; i++) {
            out.putFloat(i);
        }
        while (out.position() % 32 != 0) {
            out.put((byte) 0);
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    private ByteBuffer text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return out.putLong(utf8.length).put(utf8);
    }
}
