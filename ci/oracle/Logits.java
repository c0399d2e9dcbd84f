// SPDX-License-Identifier: Apache-2.0

import dev.puna.CacheType;
import dev.puna.Context;
import dev.puna.Model;
import dev.puna.PunaException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * {@code puna logits} for many models in one virtual machine, whose start takes longer than a tiny model's answer. Each
 * line of the input is a model's file, a file to write, and ids, between tabs; its answer is a line of the output.
 */
final class Logits {
    private Logits() {}

    public static void main(String[] arguments) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t");
            int[] ids = Arrays.stream(parts[2].split(","))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            try {
                answer(Path.of(parts[0]), Path.of(parts[1]), ids);
                System.out.println("written");
            } catch (PunaException e) {
                System.out.println(e.toString().replace('\n', ' '));
            }
        }
    }

    private static void answer(Path file, Path out, int[] ids) throws IOException {
        try (Model model = Model.load(file);
                Context context = model.newContext(options -> {
                    options.cacheType(CacheType.F32).maxSequences(1);
                    if (ids.length <= model.info().contextLength()) {
                        options.contextLength(Math.max(2, ids.length));
                    }
                })) {
            float[] logits = context.logits(ids, 0);
            ByteBuffer bytes = ByteBuffer.allocate(logits.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(logits);
            Files.write(out, bytes.array());
        }
    }
}
