// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;
import org.jspecify.annotations.Nullable;

/**
 * What a command reads and writes, always UTF-8: those of the process, or a test's own. Standard output is buffered; who
 * wants something seen flushes.
 */
final class Streams {
    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;
    private final Map<String, String> environment;
    private final boolean process;
    private volatile boolean readerLeft;
    private @Nullable TerminalProvider provider;

    private Streams(InputStream in, OutputStream out, OutputStream err, boolean process) {
        this.in = in;
        this.out = print(new Watched(out));
        this.err = print(err);
        this.environment = System.getenv();
        this.process = process;
    }

    static Streams ofProcess() {
        return new Streams(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                true);
    }

    /** Streams that are no terminal. */
    static Streams of(InputStream in, OutputStream out, OutputStream err) {
        return new Streams(in, out, err, false);
    }

    private static PrintStream print(OutputStream stream) {
        return new PrintStream(new BufferedOutputStream(stream, 1 << 14), false, StandardCharsets.UTF_8);
    }

    InputStream in() {
        return in;
    }

    PrintStream out() {
        return out;
    }

    PrintStream err() {
        return err;
    }

    /** Whether standard output failed because its reader went away, as {@code head} does: nobody needs to be told. */
    boolean readerLeft() {
        return readerLeft;
    }

    /** Remembers why writing failed, which a PrintStream does not. */
    private final class Watched extends OutputStream {
        private final OutputStream stream;

        Watched(OutputStream stream) {
            this.stream = stream;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                stream.write(bytes, offset, length);
            } catch (IOException e) {
                readerLeft |= "Broken pipe".equals(e.getMessage());
                throw e;
            }
        }

        @Override
        public void flush() throws IOException {
            stream.flush();
        }
    }

    String environment(String name) {
        return environment.getOrDefault(name, "");
    }

    PrintWriter writer(PrintStream stream) {
        return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
    }

    boolean inIsTerminal() {
        return isTerminal(SystemStream.Input);
    }

    boolean outIsTerminal() {
        return isTerminal(SystemStream.Output);
    }

    boolean errIsTerminal() {
        return isTerminal(SystemStream.Error);
    }

    /** The columns of standard error's terminal. */
    int errWidth() {
        TerminalProvider known = provider;
        int columns = known == null ? 0 : known.systemStreamWidth(SystemStream.Error);
        return columns > 0 ? columns : 80;
    }

    /** Whether output may have colours: see no-color.org. */
    boolean colours() {
        return process
                && environment("NO_COLOR").isEmpty()
                && !environment("TERM").equals("dumb")
                && outIsTerminal();
    }

    private boolean isTerminal(SystemStream stream) {
        if (!process) {
            return false;
        }
        try {
            if (provider == null) {
                provider = TerminalProvider.load("ffm");
            }
            return provider.isSystemStream(stream);
        } catch (IOException | RuntimeException | LinkageError e) {
            return false; // without the terminal's library there is none to talk to
        }
    }
}
