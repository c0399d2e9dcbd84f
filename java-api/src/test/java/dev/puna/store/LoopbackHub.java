// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A hub with one repository, {@code owner/repo}, that keeps its bytes on another origin, as Hugging Face does. The
 * fields make it misbehave.
 */
final class LoopbackHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    final LoopbackServer hub = new LoopbackServer(this::hub);
    final LoopbackServer bytes = new LoopbackServer(this::bytes);
    final List<String> files = new ArrayList<>(List.of("model-Q8_0.gguf", "model-Q4_1.gguf", "README.md"));
    volatile byte[] content = random(3_000_000, 1);
    /** Files whose bytes are not {@link #content}. */
    final Map<String, byte[]> contents = new ConcurrentHashMap<>();
    /** Files of which one byte is wrong. */
    final Set<String> lies = ConcurrentHashMap.newKeySet();

    volatile String etag = "\"one\"";
    volatile boolean announcesSha256 = true;
    volatile boolean redirects = true;
    volatile boolean knowsRange = true;
    volatile boolean knowsIfRange = true;
    volatile int hubStatus = 200;
    volatile String errorCode = "";
    final AtomicInteger serverErrors = new AtomicInteger();
    final AtomicInteger breaks = new AtomicInteger();
    volatile int breakAfter = 1_200_000;
    volatile CountDownLatch stall = new CountDownLatch(0);

    LoopbackHub() throws IOException {}

    static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    String sha256() {
        return sha256(content);
    }

    static String sha256(byte[] bytes) {
        var digest = Hashes.sha256();
        digest.update(bytes);
        return Hashes.hex(digest);
    }

    private byte[] content(String target) {
        return contents.getOrDefault(target.substring(target.lastIndexOf('/') + 1), content);
    }

    URI uri() {
        return hub.uri();
    }

    /** The requests for bytes alone. */
    List<LoopbackServer.Request> downloads() {
        return (redirects ? bytes : hub)
                .requests.stream()
                        .filter(r -> r.method().equals("GET") && !r.target().startsWith("/api"))
                        .toList();
    }

    private void hub(LoopbackServer.Request request, OutputStream out) throws Exception {
        if (serverErrors.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
            LoopbackServer.text(out, 503, Map.of("Retry-After", "0"), "later");
            return;
        }
        String target = request.target().startsWith("http")
                ? URI.create(request.target()).getPath()
                : request.target();
        if (hubStatus != 200) {
            LoopbackServer.text(
                    out, hubStatus, errorCode.isEmpty() ? Map.of() : Map.of("X-Error-Code", errorCode), "no");
        } else if (target.startsWith("/api/models/owner/repo/revision/")) {
            String list = String.join(
                    ",",
                    files.stream().map(f -> "{\"rfilename\":\"" + f + "\"}").toList());
            LoopbackServer.text(out, 200, Map.of(), "{\"sha\":\"" + COMMIT + "\",\"siblings\":[" + list + "]}");
        } else if (target.startsWith("/owner/repo/resolve/") && files.contains(target.split("/", 6)[5])) {
            if (redirects) {
                Map<String, String> headers = new HashMap<>();
                headers.put("Location", bytes.uri() + "/signed" + target);
                headers.put("X-Repo-Commit", COMMIT);
                headers.put("X-Linked-Size", Integer.toString(content(target).length));
                if (announcesSha256) {
                    headers.put("X-Linked-Etag", "\"" + sha256(content(target)) + "\"");
                }
                LoopbackServer.text(out, 302, headers, "");
            } else {
                bytes(request, out);
            }
        } else {
            LoopbackServer.text(out, 404, Map.of("X-Error-Code", "EntryNotFound"), "no");
        }
    }

    private void bytes(LoopbackServer.Request request, OutputStream out) throws Exception {
        byte[] all = content(request.target());
        if (lies.contains(request.target().substring(request.target().lastIndexOf('/') + 1))) {
            all = all.clone();
            all[all.length / 2] ^= 1;
        }
        int from = 0;
        String range = request.header("range");
        String condition = request.header("if-range");
        boolean same = condition.isEmpty() || !knowsIfRange || condition.equals(etag);
        if (knowsRange && range.startsWith("bytes=") && same) {
            from = Integer.parseInt(range.substring(6, range.indexOf('-')));
        }
        Map<String, String> headers = new HashMap<>();
        headers.put("ETag", etag);
        headers.put("Content-Length", Integer.toString(all.length - from));
        if (from > 0) {
            headers.put("Content-Range", "bytes " + from + "-" + (all.length - 1) + "/" + all.length);
        }
        LoopbackServer.head(out, from > 0 ? 206 : 200, headers);
        if (request.method().equals("HEAD")) {
            return;
        }
        boolean breaksNow = breaks.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
        int until = breaksNow || stall.getCount() > 0 ? Math.min(all.length, from + breakAfter) : all.length;
        out.write(all, from, until - from);
        out.flush();
        if (!breaksNow && until < all.length) {
            stall.await();
            out.write(all, until, all.length - until);
        }
    }

    @Override
    public void close() throws IOException {
        stall.countDown();
        hub.close();
        bytes.close();
    }
}
