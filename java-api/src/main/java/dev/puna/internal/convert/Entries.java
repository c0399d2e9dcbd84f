// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.bindings.NativeWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** A GGUF file's metadata while they are collected; who says a key again replaces it. One thread. */
final class Entries {
    private final String architecture;
    private final Map<String, BiConsumer<NativeWriter, String>> entries = new LinkedHashMap<>();

    Entries(String architecture) {
        this.architecture = architecture;
    }

    /** A key of the architecture's own. */
    String own(String name) {
        return architecture + "." + name;
    }

    boolean has(String key) {
        return entries.containsKey(key);
    }

    void remove(String key) {
        entries.remove(key);
    }

    void unsigned(String key, int number) {
        entries.put(key, (writer, name) -> writer.unsigned(name, number));
    }

    void integer(String key, int number) {
        entries.put(key, (writer, name) -> writer.integer(name, number));
    }

    void real(String key, double number) {
        entries.put(key, (writer, name) -> writer.real(name, (float) number));
    }

    void truth(String key, boolean truth) {
        entries.put(key, (writer, name) -> writer.truth(name, truth));
    }

    void text(String key, String text) {
        entries.put(key, (writer, name) -> writer.text(name, text));
    }

    void integers(String key, int[] numbers) {
        entries.put(key, (writer, name) -> writer.integers(name, numbers));
    }

    void reals(String key, float[] numbers) {
        entries.put(key, (writer, name) -> writer.reals(name, numbers));
    }

    void truths(String key, boolean[] truths) {
        entries.put(key, (writer, name) -> writer.truths(name, truths));
    }

    void bytes(String key, byte[] bytes) {
        entries.put(key, (writer, name) -> writer.bytes(name, bytes));
    }

    void texts(String key, List<String> texts) {
        tokens(
                key,
                texts.stream()
                        .map(text -> text.getBytes(StandardCharsets.UTF_8))
                        .toList());
    }

    void tokens(String key, List<byte[]> texts) {
        entries.put(key, (writer, name) -> writer.texts(name, texts));
    }

    void write(NativeWriter writer) {
        entries.forEach((key, entry) -> entry.accept(writer, key));
    }
}
