// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.CacheType;
import dev.puna.Context;
import dev.puna.Model;
import dev.puna.PunaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code puna logits}: for comparisons with references, hence keys and values in single precision unless asked. */
@Command(name = "logits", description = "Write the logits after each token: little-endian f32 [positions, vocabulary].")
final class LogitsCommand implements Callable<Integer> {
    private static final int BLOCK = 1 << 18; // floats written at once

    private final Streams streams;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute (default: the physical cores).")
    private @Nullable Integer threads;

    @Option(
            names = "--cache-type",
            paramLabel = "TYPE",
            defaultValue = "f32",
            converter = CacheTypeOption.TypeConverter.class,
            description = "How keys and values are kept: f16, f32 or q8_0 (default: f32).")
    @SuppressWarnings("NullAway.Init")
    private CacheType cache;

    @Option(
            names = "--tokens",
            required = true,
            paramLabel = "IDS",
            description = "Token ids, separated by commas, in positions 0, 1, ...; @FILE reads them from a file.")
    @SuppressWarnings("NullAway.Init")
    private String tokens;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description = "The file to write; it appears when it is complete.")
    @SuppressWarnings("NullAway.Init")
    private Path output;

    LogitsCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if (threads != null && (threads < 1 || threads > 256)) {
            throw PunaCommand.wrong(spec, "--threads is " + threads + "; it may be 1 to 256");
        }
        Path target = output.toAbsolutePath();
        if (Files.isDirectory(target)) {
            throw new PunaException(target + " is a folder; -o takes a file");
        }
        if (target.getParent() != null && !Files.isDirectory(target.getParent())) {
            throw new PunaException(
                    "there is no folder " + target.getParent() + " to write " + target.getFileName() + " into");
        }
        int[] ids = ids(tokens.startsWith("@") ? Files.readString(Path.of(tokens.substring(1))) : tokens);
        try (Model loaded = new Models(streams).load(model.reference, options -> {})) {
            int vocabulary = loaded.info().vocabulary();
            if ((long) ids.length * vocabulary > Integer.MAX_VALUE - 16) {
                throw new PunaException(ids.length + " positions of " + vocabulary
                        + " logits are more than fit; at most " + Integer.MAX_VALUE / vocabulary + " positions do");
            }
            write(target, logits(loaded, ids));
        }
        return 0;
    }

    private int[] ids(String list) {
        try {
            return Arrays.stream(list.strip().split("[,\\s]+"))
                    .mapToInt(Integer::parseInt)
                    .toArray();
        } catch (NumberFormatException e) {
            throw PunaCommand.wrong(spec, "--tokens takes token ids such as 1,2,3, or @FILE with such a list");
        }
    }

    private float[] logits(Model loaded, int[] ids) {
        try (Context context = loaded.newContext(options -> {
            options.cacheType(cache).maxSequences(1);
            if (ids.length <= loaded.info().contextLength()) {
                options.contextLength(Math.max(2, ids.length)); // no more memory than needed
            }
            if (threads != null) {
                options.threads(threads);
            }
        })) {
            return context.logits(ids, 0);
        }
    }

    /** Under another name in the same folder, then renamed: a reader never sees a part. */
    private static void write(Path target, float[] logits) throws IOException {
        if (Files.exists(target) && !Files.isRegularFile(target)) { // a pipe or /dev/null
            writeTo(target, logits);
            return;
        }
        Path folder = target.getParent() == null ? target : target.getParent();
        Path part = folder.resolve(
                "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
        part.toFile().deleteOnExit();
        try {
            writeTo(part, logits);
            try {
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static void writeTo(Path file, float[] logits) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(BLOCK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (int at = 0; at < logits.length; at += BLOCK) {
                int count = Math.min(BLOCK, logits.length - at);
                bytes.clear().limit(count * Float.BYTES);
                bytes.asFloatBuffer().put(logits, at, count);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            }
        }
    }
}
