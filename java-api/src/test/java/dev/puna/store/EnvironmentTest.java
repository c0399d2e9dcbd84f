// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EnvironmentTest {
    private static final Path HOME = Path.of("/home/somebody").toAbsolutePath();

    private static Environment of(String system, Map<String, String> variables) {
        return new Environment(variables, HOME, system);
    }

    @Test
    void theStoreLiesWhereTheSystemKeepsAUsersData() {
        assertThat(of("Linux", Map.of()).modelFolder()).isEqualTo(HOME.resolve(".local/share/puna/models"));
        assertThat(of("Linux", Map.of("XDG_DATA_HOME", "/data")).modelFolder()).isEqualTo(Path.of("/data/puna/models"));
        assertThat(of("Linux", Map.of("XDG_DATA_HOME", "data")).modelFolder())
                .isEqualTo(HOME.resolve(".local/share/puna/models"));
        assertThat(of("Mac OS X", Map.of()).modelFolder())
                .isEqualTo(HOME.resolve("Library/Application Support/puna/models"));
        assertThat(of("Windows 11", Map.of()).modelFolder()).isEqualTo(HOME.resolve("AppData/Local/puna/models"));
        assertThat(of("Linux", Map.of("PUNA_HOME", "~/p")).modelFolder()).isEqualTo(HOME.resolve("p/models"));
    }

    @Test
    void otherToolsCaches() {
        assertThat(of("Linux", Map.of()).hubCache()).isEqualTo(HOME.resolve(".cache/huggingface/hub"));
        assertThat(of("Linux", Map.of("HF_HOME", "/hf")).hubCache()).isEqualTo(Path.of("/hf/hub"));
        assertThat(of("Linux", Map.of("HF_HOME", "/hf", "HF_HUB_CACHE", "/c")).hubCache())
                .isEqualTo(Path.of("/c"));
        assertThat(of("Linux", Map.of("HF_HOME", "/hf")).hubTokenFile()).isEqualTo(Path.of("/hf/token"));
        assertThat(of("Linux", Map.of("LLAMA_CACHE", "/l")).llamaCache()).isEqualTo(Path.of("/l"));
        assertThat(of("Mac OS X", Map.of()).llamaCache()).isEqualTo(HOME.resolve("Library/Caches/llama.cpp"));
    }

    @Test
    void proxiesOfTheEnvironment() {
        ProxySelector proxies = Proxies.of(
                null,
                of(
                        "Linux",
                        Map.of(
                                "https_proxy",
                                "http://user:secret@proxy:3128",
                                "no_proxy",
                                "localhost,.inside.example,host:81")));
        assertThat(proxies).isInstanceOf(Proxies.class);
        assertThat(first(proxies, "https://huggingface.co/x").address()).hasToString("proxy/<unresolved>:3128");
        assertThat(first(proxies, "http://huggingface.co/x")).isEqualTo(Proxy.NO_PROXY);
        assertThat(first(proxies, "https://localhost/x")).isEqualTo(Proxy.NO_PROXY);
        assertThat(first(proxies, "https://a.inside.example/x")).isEqualTo(Proxy.NO_PROXY);
        assertThat(first(proxies, "https://host:81/x")).isEqualTo(Proxy.NO_PROXY);
        assertThat(first(proxies, "https://host:82/x").type()).isEqualTo(Proxy.Type.HTTP);
    }

    @Test
    void aProxyOfAnotherKindIsNotUsed() {
        ProxySelector proxies = Proxies.of(null, of("Linux", Map.of("all_proxy", "socks5://proxy:1080")));
        assertThat(proxies).isNotInstanceOf(Proxies.class);
    }

    private static Proxy first(ProxySelector proxies, String uri) {
        return proxies.select(URI.create(uri)).getFirst();
    }
}
