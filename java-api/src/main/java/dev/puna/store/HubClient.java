// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.DownloadException;
import dev.puna.ModelNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Authenticator;
import java.net.InetAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Talks to Hugging Face or a mirror of it, or to the server of one {@link ModelReference.WebFile}. Redirects are
 * followed here, so that the token goes to the hub's own origin alone, and never from https to http. What another
 * attempt may cure is thrown as an IOException; what it cannot, as a sentence. One fetch, one thread.
 */
final class HubClient implements AutoCloseable {
    private static final int MAX_REDIRECTS = 10;
    private static final int MAX_LISTING = 32 << 20;

    /**
     * A file of the hub: where, its name there, length (-1: unknown), checksum if known, and what tells its bytes
     * apart.
     */
    record RemoteFile(
            URI uri,
            String name,
            long size,
            @Nullable String sha256,
            String identity,
            @Nullable String commit) {}

    /** A last answer, with those headers of the hub that came on the way to it. */
    record Answer(
            HttpResponse<InputStream> response,
            @Nullable String linkedEtag,
            OptionalLong linkedSize,
            @Nullable String commit)
            implements AutoCloseable {
        @Override
        public void close() throws IOException {
            response.body().close();
        }
    }

    private final Settings settings;
    private final URI home;
    private final @Nullable String token;
    private final Duration connectTimeout;
    private final HttpClient client;

    HubClient(Settings settings, ModelReference source, Duration connectTimeout) {
        boolean web = source instanceof ModelReference.WebFile;
        this.settings = settings;
        this.home = source instanceof ModelReference.WebFile file ? file.address() : settings.endpoint();
        this.token = web ? null : settings.token(); // the hub's alone
        this.connectTimeout = connectTimeout;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(connectTimeout);
        if (settings.proxies() != null) {
            builder.proxy(settings.proxies());
        }
        String user = settings.proxies() instanceof Proxies own ? own.login() : null;
        if (user != null) {
            builder.authenticator(new ProxyLogin(user));
        }
        client = builder.build();
    }

    private static final class ProxyLogin extends Authenticator {
        private final String user;

        ProxyLogin(String user) {
            this.user = user;
        }

        @Override
        protected @Nullable PasswordAuthentication getPasswordAuthentication() {
            int colon = user.indexOf(':');
            return getRequestorType() == RequestorType.PROXY
                    ? new PasswordAuthentication(
                            colon < 0 ? user : user.substring(0, colon),
                            user.substring(colon + 1).toCharArray())
                    : null;
        }
    }

    /** The server's name in sentences. */
    String host() {
        return home.getHost();
    }

    /** Whether a source is on a server, so that this class can fetch it. */
    static boolean serves(ModelReference source) {
        return source instanceof ModelReference.HubFile || source instanceof ModelReference.WebFile;
    }

    RemoteFile locate(ModelReference source) throws IOException {
        return switch (source) {
            case ModelReference.HubFile hub -> locateOnHub(hub);
            case ModelReference.WebFile web -> locateOnWeb(web);
            default -> throw new IllegalStateException("not on a server: " + source);
        };
    }

    /**
     * Another file beside one that was located, of the same commit.
     *
     * @throws DownloadException if it could only be had without anybody knowing its bytes
     */
    static ModelReference beside(ModelReference source, RemoteFile located, String name) {
        if (source instanceof ModelReference.HubFile hub) {
            String revision = located.commit() != null ? located.commit() : hub.revision();
            return new ModelReference.HubFile(hub.repository(), revision, name);
        }
        ModelReference.WebFile web = (ModelReference.WebFile) source;
        if (web.name().equals(name)) {
            return web;
        }
        try {
            return new ModelReference.WebFile(web.address().resolve(encode(name, false)), null);
        } catch (IllegalArgumentException e) {
            throw new DownloadException("the other parts of " + source + " have no checksum: " + e.getMessage(), e);
        }
    }

    /** The file, or all parts of a split one, in order. */
    List<RemoteFile> locateAll(ModelReference source, RemoteFile any) throws IOException {
        Optional<SplitName> split = SplitName.of(any.name());
        if (split.isEmpty()) {
            return List.of(any);
        }
        List<RemoteFile> all = new ArrayList<>();
        for (String name : split.get().parts()) {
            all.add(name.equals(any.name()) ? any : locate(beside(source, any, name)));
        }
        return all;
    }

    /** Some servers allow no HEAD, or sign addresses for GET alone: then only the download tells more. */
    private RemoteFile locateOnWeb(ModelReference.WebFile source) throws IOException {
        try (Answer answer = send("HEAD", source.address(), Map.of(), true)) {
            int status = answer.response().statusCode();
            long size = -1;
            String etag = "";
            if (status == 200) {
                size = answer.response()
                        .headers()
                        .firstValueAsLong("content-length")
                        .orElse(-1);
                etag = answer.response().headers().firstValue("etag").orElse("");
            } else if (status != 403 && status != 405 && status != 501) {
                throw refusal(answer.response(), source, source.name());
            }
            String sha256 = source.sha256();
            String identity = sha256 != null ? sha256 : source.address() + " " + etag + " " + size;
            return new RemoteFile(source.address(), source.name(), size, sha256, identity, null);
        }
    }

    /** Finds the file that a reference means, its length and checksum. */
    private RemoteFile locateOnHub(ModelReference.HubFile reference) throws IOException {
        String file = reference.file();
        String revision = reference.revision();
        if (file == null) {
            HubListing listing = listing(reference);
            file = listing.choose(reference);
            revision = listing.commit() != null ? listing.commit() : revision;
        }
        URI uri = address(reference.repository() + "/resolve/" + encode(revision, false) + "/" + encode(file, true));
        try (Answer answer = send("HEAD", uri, Map.of(), false)) {
            int status = answer.response().statusCode();
            boolean redirect = status >= 300 && status < 400;
            if (!redirect && status != 200) {
                throw refusal(answer.response(), reference, file);
            }
            String etag = answer.linkedEtag();
            if (etag == null && !redirect) {
                etag = answer.response().headers().firstValue("etag").orElse(null);
            }
            long size = answer.linkedSize().isPresent()
                    ? answer.linkedSize().getAsLong()
                    : redirect
                            ? -1
                            : answer.response()
                                    .headers()
                                    .firstValueAsLong("content-length")
                                    .orElse(-1);
            String bare = etag == null ? "" : etag.replaceFirst("^W/", "").replace("\"", "");
            String sha256 = Hashes.isSha256(bare) ? bare.toLowerCase(Locale.ROOT) : null;
            String commit = answer.commit();
            URI pinned = commit == null || !Hashes.isCommit(commit)
                    ? uri
                    : address(reference.repository() + "/resolve/" + commit + "/" + encode(file, true));
            return new RemoteFile(
                    pinned,
                    file,
                    size,
                    sha256,
                    sha256 != null ? sha256 : pinned + " " + bare + " " + size,
                    commit != null && Hashes.isCommit(commit) ? commit : null);
        }
    }

    private HubListing listing(ModelReference.HubFile reference) throws IOException {
        URI uri = address("api/models/" + reference.repository() + "/revision/" + encode(reference.revision(), false)
                + "?blobs=true");
        try (Answer answer = send("GET", uri, Map.of(), true)) {
            if (answer.response().statusCode() != 200) {
                throw refusal(answer.response(), reference, null);
            }
            byte[] bytes = answer.response().body().readNBytes(MAX_LISTING);
            return HubListing.parse(new String(bytes, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            throw new DownloadException(
                    host() + " gave no readable list of the files of " + reference.repository() + ": " + e.getMessage(),
                    e);
        }
    }

    /** A file's bytes, from an offset on. */
    Answer open(URI uri, Map<String, String> headers) throws IOException {
        return send("GET", uri, headers, true);
    }

    /**
     * Sends a request and follows redirects.
     *
     * @param everywhere whether to go on to other hosts; otherwise the redirect itself is the answer
     */
    private Answer send(String method, URI first, Map<String, String> headers, boolean everywhere) throws IOException {
        URI uri = first;
        String linkedEtag = null;
        String commit = null;
        OptionalLong linkedSize = OptionalLong.empty();
        for (int i = 0; i <= MAX_REDIRECTS; i++) {
            HttpResponse<InputStream> response = exchange(method, uri, headers);
            linkedEtag = response.headers().firstValue("x-linked-etag").orElse(linkedEtag);
            commit = response.headers().firstValue("x-repo-commit").orElse(commit);
            if (linkedSize.isEmpty()) {
                linkedSize = response.headers().firstValueAsLong("x-linked-size");
            }
            String location = switch (response.statusCode()) {
                case 301, 302, 303, 307, 308 ->
                    response.headers().firstValue("location").orElse(null);
                default -> null;
            };
            URI next = location == null ? null : redirect(uri, location);
            if (next == null || (!everywhere && !isHome(next))) {
                return new Answer(response, linkedEtag, linkedSize, commit);
            }
            response.body().close();
            uri = next;
        }
        throw new DownloadException(host() + " redirects without end for " + first.getPath());
    }

    private static URI redirect(URI from, String location) {
        URI next;
        try {
            next = from.resolve(new URI(location));
        } catch (URISyntaxException e) {
            throw new DownloadException(from.getHost() + " redirects to something that is no address", e);
        }
        boolean secure = "https".equalsIgnoreCase(next.getScheme());
        boolean plain = "http".equalsIgnoreCase(next.getScheme());
        boolean followed = secure || (plain && "http".equalsIgnoreCase(from.getScheme()));
        if (!followed || next.getHost() == null) {
            throw new DownloadException(from.getHost() + " redirects to an address that is not followed (no https)");
        }
        return next;
    }

    private boolean isHome(URI uri) {
        return home.getScheme().equalsIgnoreCase(uri.getScheme())
                && home.getHost().equalsIgnoreCase(uri.getHost())
                && port(home) == port(uri);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
    }

    private HttpResponse<InputStream> exchange(String method, URI uri, Map<String, String> headers) throws IOException {
        lookUp(uri);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .timeout(settings.answerTimeout())
                .header("User-Agent", "puna")
                .header("Accept-Encoding", "identity");
        headers.forEach(request::header);
        if (token != null && isHome(uri)) {
            request.header("Authorization", "Bearer " + token);
        }
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            throw (IOException) Interrupts.raise().initCause(e);
        }
    }

    /** The connection's limit covers the look-up of the name too, which can take long where there is no network. */
    private void lookUp(URI uri) throws IOException {
        ProxySelector proxies = settings.proxies();
        if (proxies != null && proxies.select(uri).stream().anyMatch(p -> p.type() != Proxy.Type.DIRECT)) {
            return;
        }
        CompletableFuture<InetAddress[]> found = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("puna-name-lookup").start(() -> {
            try {
                found.complete(InetAddress.getAllByName(uri.getHost()));
            } catch (UnknownHostException e) {
                found.completeExceptionally(e);
            }
        });
        try {
            found.get(connectTimeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw (IOException) Interrupts.raise().initCause(e);
        } catch (TimeoutException e) {
            throw (IOException) new HttpConnectTimeoutException("its name was not found in time").initCause(e);
        } catch (ExecutionException e) {
            throw (IOException) new UnknownHostException(uri.getHost()).initCause(e);
        }
    }

    /** The sentence for a status that is no success; an IOException when it may pass. */
    RuntimeException refusal(HttpResponse<InputStream> response, ModelReference source, @Nullable String file)
            throws IOException {
        int status = response.statusCode();
        String where = response.uri().getHost();
        if (status == 408 || status == 425 || status == 429 || status >= 500) {
            throw new Busy(where + " answered " + status, retryAfter(response));
        }
        if (!isHome(response.uri())) {
            throw new Busy(where + ", where " + host() + " keeps the bytes, answered " + status, -1);
        }
        if (source instanceof ModelReference.HubFile reference) {
            return hubRefusal(response, reference, file);
        }
        return switch (status) {
            case 404, 410 -> new ModelNotFoundException(where + " has no " + home.getPath() + " (" + status + ")");
            case 401, 403 ->
                new DownloadException(where + " refuses " + home.getPath() + " (" + status
                        + "); download it by other means and give the file's path");
            default -> new DownloadException(where + " answered " + status + " for " + home.getPath());
        };
    }

    private RuntimeException hubRefusal(
            HttpResponse<?> response, ModelReference.HubFile reference, @Nullable String file) {
        int status = response.statusCode();
        String what = file == null ? reference.repository() : file + " of " + reference.repository();
        String code = response.headers().firstValue("x-error-code").orElse("");
        if (status == 404 || (code.equals("RepoNotFound") && token != null)) {
            return new ModelNotFoundException(
                    switch (code) {
                        case "EntryNotFound" -> host() + " has no " + what + " at revision " + reference.revision();
                        case "RevisionNotFound" ->
                            reference.repository() + " on " + host() + " has no revision " + reference.revision();
                        default ->
                            host() + " has no " + what + " at revision " + reference.revision()
                                    + " (a local file is written with ./ before it)";
                    });
        }
        if (status == 401 || status == 403) {
            String page = home.resolve("/" + reference.repository()).toString();
            String rest = token == null
                    ? "log in there, accept its licence, and set HF_TOKEN to a token of that account (a private or"
                            + " missing repository is refused the same way)"
                    : "accept its licence there with the account whose token is in HF_TOKEN, and check that the token"
                            + " may read it";
            return new DownloadException(
                    host() + " refuses " + what + " (" + status + "): it is gated; open " + page + ", " + rest);
        }
        return new DownloadException(host() + " answered " + status + " for " + what);
    }

    /** A status that may pass; afterMillis is what the server asked to wait, or -1. */
    static final class Busy extends IOException {
        private static final long serialVersionUID = 1L;
        private final long afterMillis;

        Busy(String message, long afterMillis) {
            super(message);
            this.afterMillis = afterMillis;
        }

        long afterMillis() {
            return afterMillis;
        }
    }

    private static long retryAfter(HttpResponse<?> response) {
        String value = response.headers().firstValue("retry-after").orElse("");
        return value.matches("\\d{1,4}") ? Math.min(Long.parseLong(value), 30) * 1000 : -1;
    }

    private URI address(String path) {
        String base = home.toString();
        return URI.create((base.endsWith("/") ? base : base + "/") + path);
    }

    private static String encode(String text, boolean keepSlashes) {
        StringBuilder out = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || "-._~".indexOf(c) >= 0);
            if (plain || (keepSlashes && c == '/')) {
                out.append(c);
            } else {
                out.append(String.format(Locale.ROOT, "%%%02X", (int) c));
            }
        }
        return out.toString();
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
