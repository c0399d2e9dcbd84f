// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which proxy a request takes: the builder's; else Java's own properties (https.proxyHost and the like); else the
 * variables https_proxy, http_proxy, all_proxy and no_proxy. Immutable.
 */
final class Proxies extends ProxySelector {
    private static final Logger LOG = LoggerFactory.getLogger(Proxies.class);

    private final @Nullable URI http;
    private final @Nullable URI https;
    private final List<String> direct;

    private Proxies(@Nullable URI http, @Nullable URI https, List<String> direct) {
        this.http = http;
        this.https = https;
        this.direct = direct;
    }

    static @Nullable ProxySelector of(@Nullable URI explicit, Environment environment) {
        if (explicit != null) {
            return new Proxies(explicit, explicit, List.of());
        }
        if (System.getProperty("https.proxyHost") != null || System.getProperty("http.proxyHost") != null) {
            return ProxySelector.getDefault();
        }
        URI https = variable(environment, "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY");
        URI http = variable(environment, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY");
        if (https == null && http == null) {
            return ProxySelector.getDefault();
        }
        String no = environment.get("no_proxy", "NO_PROXY");
        List<String> direct =
                no == null ? List.of() : List.of(no.toLowerCase(Locale.ROOT).split("[,\\s]+"));
        return new Proxies(http, https, direct);
    }

    /**
     * Reads {@code [http://][user:password@]host[:port][/]}.
     *
     * @throws IllegalArgumentException with the text's name when it has another form
     */
    static URI address(String name, String text) {
        try {
            URI uri = new URI(text.contains("://") ? text : "http://" + text);
            if (uri.getHost() != null && "http".equalsIgnoreCase(uri.getScheme())) {
                return uri;
            }
        } catch (java.net.URISyntaxException e) {
            throw new IllegalArgumentException(name + " is no proxy's address (http://host:port)", e);
        }
        throw new IllegalArgumentException(name + " is no HTTP proxy's address (http://host:port)");
    }

    private static @Nullable URI variable(Environment environment, String... names) {
        for (String name : names) {
            String value = environment.get(name);
            if (value != null) {
                try {
                    return address(name, value);
                } catch (IllegalArgumentException e) {
                    LOG.warn("{}; it is not used", e.getMessage()); // other programs may know SOCKS and the like
                }
            }
        }
        return null;
    }

    /**
     * The {@code user:password} of the proxy, if it has one. For https, Java sends it only when the system property
     * jdk.http.auth.tunneling.disabledSchemes does not list Basic, which it does by default.
     */
    @Nullable
    String login() {
        URI proxy = https != null ? https : http;
        return proxy == null ? null : proxy.getUserInfo();
    }

    @Override
    public List<Proxy> select(URI uri) {
        URI proxy = "https".equalsIgnoreCase(uri.getScheme()) ? https : http;
        if (proxy == null || isDirect(uri)) {
            return List.of(Proxy.NO_PROXY);
        }
        int port = proxy.getPort() > 0 ? proxy.getPort() : 80;
        return List.of(new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(proxy.getHost(), port)));
    }

    private boolean isDirect(URI uri) {
        String host = uri.getHost();
        if (host == null) {
            return false;
        }
        String name = host.toLowerCase(Locale.ROOT);
        for (String rule : direct) {
            int port = rule.lastIndexOf(':');
            String domain = port > 0 ? rule.substring(0, port) : rule;
            if (port > 0 && !rule.substring(port + 1).equals(Integer.toString(uri.getPort()))) {
                continue;
            }
            String bare = domain.startsWith("*.")
                    ? domain.substring(2)
                    : domain.startsWith(".") ? domain.substring(1) : domain;
            if (domain.equals("*") || (!bare.isEmpty() && (name.equals(bare) || name.endsWith("." + bare)))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // the request itself reports it
    }
}
