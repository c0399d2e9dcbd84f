// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpHeaders;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads one file of the hub or another server into a part, going on where an earlier attempt or process ended. A
 * beginning is continued only when it is known to be of the same bytes: the hub's SHA-256 is the same, or the server's
 * strong ETag is (If-Range). Of a split file all parts are fetched, one after the other, into a folder. One thread,
 * under the key's lock.
 */
final class HubFetch {
    /**
     * What came, and the source that an entry is to name; its checksum was compared with what is known of it.
     *
     * @param part the file, or the folder that holds the parts of a split one
     * @param name its name there; of a split one the first part's
     */
    record Fetched(Path part, String name, String sha256, String source) {}

    /** What a source has to give: -1 and null where that is not known. */
    record Expected(long size, @Nullable String sha256) {}

    private static final Logger LOG = LoggerFactory.getLogger(HubFetch.class);
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18}|\\*)");
    private static final long PROGRESS_BYTES = 1 << 20;

    private final Settings settings;
    private final ModelReference source;
    private final Expected expected;
    private final ProgressMeter meter;
    private final boolean othersFollow;

    /**
     * Prepares a download.
     *
     * @param othersFollow whether another source stands behind this one: then an unreachable hub is given up at once
     */
    HubFetch(Settings settings, ModelReference source, Expected expected, ProgressMeter meter, boolean othersFollow) {
        this.settings = settings;
        this.source = source;
        this.expected = expected;
        this.meter = meter;
        this.othersFollow = othersFollow;
    }

    Fetched run(Path partPath, Path splitFolder) throws IOException {
        Duration limit = settings.connectTimeout();
        if (othersFollow && limit.compareTo(Settings.IMPATIENT_CONNECT) > 0) {
            limit = Settings.IMPATIENT_CONNECT;
        }
        try (HubClient hub = new HubClient(settings, source, limit)) {
            meter.phase(FetchProgress.Phase.CONNECTING, hub.host(), 0, expected.size());
            HubClient.RemoteFile remote = retrying(hub, () -> hub.locate(source));
            Optional<SplitName> split = SplitName.of(remote.name());
            if (split.isPresent()) {
                return parts(hub, remote, new SplitFolder(splitFolder, split.get()), partPath);
            }
            compareClaims(hub, remote);
            String known = expected.sha256() != null ? expected.sha256() : remote.sha256();
            return new Fetched(partPath, remote.name(), one(hub, remote, known, partPath), source.toString());
        }
    }

    /** Brings one file whole; its checksum. */
    private String one(HubClient hub, HubClient.RemoteFile remote, @Nullable String known, Path partPath)
            throws IOException {
        for (boolean last = false; ; last = true) {
            PartFile part = new PartFile(partPath);
            try (part) {
                part.beginningOf(remote.identity());
                long inherited = part.length();
                download(hub, remote, part);
                meter.phase(FetchProgress.Phase.CHECKING, remote.name(), part.length(), part.length());
                String sha256 = part.finish();
                if (known == null || known.equals(sha256)) {
                    return sha256;
                }
                part.discard();
                if (inherited == 0 || last) {
                    throw new DownloadException("the bytes of " + what(remote) + " from " + hub.host()
                            + " are wrong: SHA-256 " + sha256 + " instead of " + known + "; nothing of them was kept");
                }
                LOG.warn("what an earlier download of {} left was damaged; it begins anew", what(remote));
            }
        }
    }

    private String what(HubClient.RemoteFile remote) {
        return SplitName.of(remote.name()).isPresent() ? remote.name() + " of " + source : source.toString();
    }

    private Fetched parts(HubClient hub, HubClient.RemoteFile any, SplitFolder folder, Path partPath)
            throws IOException {
        List<HubClient.RemoteFile> files = retrying(hub, () -> hub.locateAll(source, any));
        boolean told = files.stream().allMatch(f -> f.size() >= 0);
        long whole = told ? files.stream().mapToLong(HubClient.RemoteFile::size).sum() : -1;
        long before = 0;
        for (int i = 0; i < files.size(); i++) {
            HubClient.RemoteFile file = files.get(i);
            if (!folder.has(i + 1, file.identity(), file.size())) {
                meter.within(before, whole);
                String sha256 = one(hub, file, file.sha256(), partPath);
                folder.add(i + 1, partPath, file.identity(), sha256);
            }
            before += folder.size(i + 1);
        }
        meter.within(0, -1);
        Fetched fetched = folder.whole(source.toString());
        if (expected.sha256() != null
                && !(source instanceof ModelReference.WebFile)
                && !expected.sha256().equals(fetched.sha256())) {
            throw new DownloadException("the bytes of " + source + " are wrong: together the parts have SHA-256 "
                    + fetched.sha256() + " instead of " + expected.sha256());
        }
        return fetched;
    }

    private interface Question<T> {
        T ask() throws IOException;
    }

    private <T> T retrying(HubClient hub, Question<T> question) throws IOException {
        for (int failures = 1; ; failures++) {
            try {
                return question.ask();
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException e) {
                Interrupts.check();
                if (failures >= Settings.MAX_ATTEMPTS || (othersFollow && !(e instanceof HubClient.Busy))) {
                    throw new DownloadException(
                            "cannot reach " + hub.host() + " for " + source + ": " + Reasons.of(e), e);
                }
                pause(failures, e);
            }
        }
    }

    private void compareClaims(HubClient hub, HubClient.RemoteFile remote) {
        boolean otherSum = expected.sha256() != null
                && remote.sha256() != null
                && !expected.sha256().equals(remote.sha256());
        boolean otherSize = expected.size() >= 0 && remote.size() >= 0 && expected.size() != remote.size();
        if (otherSum || otherSize) {
            throw new DownloadException(hub.host() + " holds other bytes as " + source + " than expected (SHA-256 "
                    + remote.sha256() + ", " + remote.size() + " bytes)");
        }
    }

    private void download(HubClient hub, HubClient.RemoteFile remote, PartFile part) throws IOException {
        long best = part.length();
        int failures = 0;
        while (true) {
            try {
                attempt(hub, remote, part);
                return;
            } catch (InterruptedIOException | PartFile.CannotWrite e) {
                throw e;
            } catch (IOException e) {
                Interrupts.check();
                if (part.length() >= best + PROGRESS_BYTES) {
                    best = part.length();
                    failures = 0;
                }
                failures++;
                if (failures >= Settings.MAX_ATTEMPTS) {
                    throw new DownloadException(
                            "the download of " + source + " from " + hub.host() + " broke "
                                    + failures + " times: " + Reasons.of(e) + "; " + Sizes.text(part.length())
                                    + " are kept and the next fetch continues them",
                            e);
                }
                pause(failures, e);
            }
        }
    }

    private void pause(int failures, IOException reason) throws IOException {
        LOG.debug("attempt {} for {} failed: {}", failures, source, Reasons.of(reason));
        meter.phase(FetchProgress.Phase.RETRYING, Reasons.of(reason), 0, -1);
        long millis = reason instanceof HubClient.Busy busy && busy.afterMillis() >= 0
                ? busy.afterMillis()
                : settings.retryDelay().toMillis() << Math.min(failures - 1, 5);
        Interrupts.sleep(millis);
    }

    /** One request; ends with the whole file, or with an IOException after which another attempt makes sense. */
    private void attempt(HubClient hub, HubClient.RemoteFile remote, PartFile part) throws IOException {
        boolean tooLong = remote.size() >= 0 && part.length() > remote.size();
        if (tooLong || (remote.sha256() == null && part.validator() == null)) {
            part.restart();
        }
        if (remote.size() >= 0 && part.length() == remote.size()) {
            return;
        }
        Room.require(settings, source, remote.size() - part.length());
        Map<String, String> headers = new HashMap<>();
        if (part.length() > 0) {
            headers.put("Range", "bytes=" + part.length() + "-");
            if (part.validator() != null) {
                headers.put("If-Range", part.validator());
            }
        }
        try (HubClient.Answer answer = hub.open(remote.uri(), headers)) {
            int status = answer.response().statusCode();
            HttpHeaders got = answer.response().headers();
            String etag = got.firstValue("etag").filter(e -> e.startsWith("\"")).orElse(null);
            if (status == 206) {
                checkRange(remote, part, got, etag);
            } else if (status == 200) {
                part.restart(); // no ranges here, or the bytes changed
            } else if (status == 416) {
                part.restart();
                throw new IOException("the server has no bytes from there on");
            } else {
                throw hub.refusal(answer.response(), source, remote.name());
            }
            part.validator(etag);
            long length = got.firstValueAsLong("content-length").orElse(-1);
            long total = remote.size() >= 0 ? remote.size() : length < 0 ? -1 : part.length() + length;
            meter.phase(FetchProgress.Phase.DOWNLOADING, hub.host(), part.length(), total);
            receive(answer.response().body(), part, total);
        }
    }

    private static void checkRange(HubClient.RemoteFile remote, PartFile part, HttpHeaders got, @Nullable String etag)
            throws IOException {
        Matcher range = CONTENT_RANGE.matcher(got.firstValue("content-range").orElse(""));
        boolean fits = range.matches() && Long.parseLong(range.group(1)) == part.length();
        if (fits && remote.size() >= 0 && !range.group(2).equals("*")) {
            fits = Long.parseLong(range.group(2)) == remote.size();
        }
        if (part.validator() != null && etag != null && !etag.equals(part.validator())) {
            fits = false; // other bytes now, and a server that does not know If-Range
        }
        if (!fits) {
            part.restart();
            throw new IOException("the server answered with other bytes than were asked for");
        }
    }

    private void receive(InputStream body, PartFile part, long total) throws IOException {
        AtomicLong lastByte = new AtomicLong(System.nanoTime());
        AtomicBoolean stalled = new AtomicBoolean();
        Thread guard = Thread.ofVirtual().start(() -> watch(body, lastByte, stalled));
        try {
            byte[] buffer = new byte[1 << 17];
            for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
                Interrupts.check();
                lastByte.set(System.nanoTime());
                if (total >= 0 && part.length() + n > total) {
                    part.restart();
                    throw new IOException("the server sent more bytes than it had announced");
                }
                part.append(buffer, n);
                meter.at(part.length());
            }
        } catch (IOException e) {
            Interrupts.check();
            throw stalled.get() ? stall(e) : e;
        } finally {
            guard.interrupt();
        }
        Interrupts.check();
        if (total >= 0 && part.length() < total) {
            throw stalled.get() ? stall(null) : new IOException("the connection ended early");
        }
    }

    private IOException stall(@Nullable IOException cause) {
        return new IOException("no byte came for " + settings.stallTimeout().toSeconds() + " s", cause);
    }

    /** Closes a body that brings nothing for too long: reading it has no limit of its own. */
    private void watch(InputStream body, AtomicLong lastByte, AtomicBoolean stalled) {
        long limit = settings.stallTimeout().toNanos();
        try {
            while (true) {
                long left = limit - (System.nanoTime() - lastByte.get());
                if (left <= 0) {
                    stalled.set(true);
                    body.close();
                    return;
                }
                Thread.sleep(Math.max(1, left / 1_000_000));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // all bytes came
        } catch (IOException e) {
            LOG.trace("a stalled connection was already closed");
        }
    }
}
