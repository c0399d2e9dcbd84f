// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A hub with one file, {@code owner/repo:tiny-chat.gguf}, which can stall in the middle of it. */
final class SmallHub implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final byte[] content;
    private final List<String> ranges = new CopyOnWriteArrayList<>();
    private final CountDownLatch stalled = new CountDownLatch(1);
    private volatile int stallAfter = Integer.MAX_VALUE;

    SmallHub(byte[] content) throws IOException {
        this.content = content;
        Thread.ofVirtual().start(this::accept);
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + socket.getLocalPort());
    }

    void stallAfter(int bytes) {
        stallAfter = bytes;
    }

    void awaitStall(Duration limit) throws InterruptedException {
        if (!stalled.await(limit.toSeconds(), TimeUnit.SECONDS)) {
            throw new IllegalStateException("nobody asked for the file");
        }
    }

    /** What requests asked to begin behind the start. */
    List<String> ranges() {
        return ranges;
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.ISO_8859_1));
            String[] request = in.readLine().split(" ");
            int from = 0;
            for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
                if (line.toLowerCase(Locale.ROOT).startsWith("range: bytes=")) {
                    String begin = line.substring(13, line.indexOf('-', 13));
                    from = Integer.parseInt(begin);
                    if (from > 0) {
                        ranges.add(begin);
                    }
                }
            }
            answer(request[0], request[1], from, connection.getOutputStream());
        } catch (IOException | InterruptedException e) {
            return; // the client went away, or the test ended
        }
    }

    private void answer(String method, String target, int from, OutputStream out)
            throws IOException, InterruptedException {
        if (!(target.startsWith("/owner/repo/resolve/") && target.endsWith("/tiny-chat.gguf"))) {
            write(
                    out,
                    "HTTP/1.1 404 Not Found\r\nX-Error-Code: EntryNotFound\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        write(
                out,
                (from > 0
                                ? "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + from + "-"
                                        + (content.length - 1) + "/" + content.length
                                : "HTTP/1.1 200 OK")
                        + "\r\nETag: \"one\"\r\nAccept-Ranges: bytes\r\nX-Repo-Commit: 0123456789abcdef0123456789abcdef01234567"
                        + "\r\nContent-Length: " + (content.length - from) + "\r\nConnection: close\r\n\r\n");
        if (method.equals("HEAD")) {
            return;
        }
        int until = (int) Math.min(content.length, (long) from + stallAfter);
        out.write(content, from, until - from);
        out.flush();
        if (until < content.length) {
            stalled.countDown();
            Thread.sleep(Duration.ofMinutes(1));
        }
    }

    private static void write(OutputStream out, String head) throws IOException {
        out.write(head.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
