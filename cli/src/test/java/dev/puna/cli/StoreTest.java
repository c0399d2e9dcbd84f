// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code pull}, {@code list} and {@code rm} in processes of their own, with a hub on the loopback interface. */
@Timeout(120)
class StoreTest {
    private static final String REFERENCE = "owner/repo:tiny-chat.gguf";

    @TempDir
    Path folder;

    private SmallHub hub;

    @BeforeEach
    void start() throws IOException {
        hub = new SmallHub(Files.readAllBytes(Path.of(Cli.CHAT)));
    }

    @AfterEach
    void stop() throws IOException {
        hub.close();
    }

    private Child child(String... arguments) throws IOException {
        Map<String, String> variables = new HashMap<>(Map.of(
                "PUNA_HOME",
                folder.resolve("home").toString(),
                "PUNA_OFFLINE",
                "0",
                "OLLAMA_MODELS",
                folder.resolve("ollama").toString(),
                "HF_ENDPOINT",
                hub.uri().toString(),
                "no_proxy",
                "127.0.0.1",
                "NO_PROXY",
                "127.0.0.1"));
        for (String proxy :
                new String[] {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}) {
            variables.put(proxy, "");
        }
        return Child.start(folder, variables, arguments);
    }

    private Cli.Result run(String... arguments) throws Exception {
        return child(arguments).result("");
    }

    @Test
    void fromTheHubToTheAnswer() throws Exception {
        Cli.Result pulled = run("pull", REFERENCE);
        assertThat(pulled.status()).as(pulled.err()).isZero();
        assertThat(pulled.err())
                .contains(
                        "fetching " + REFERENCE,
                        "274.1 kB",
                        " free",
                        folder.resolve("home").toString());
        Path file = Path.of(pulled.out().strip());
        assertThat(file).hasSameBinaryContentAs(Path.of(Cli.CHAT));

        JsonNode list = run("list", "--json").succeeded().json();
        assertThat(list.valueStream().filter(m -> m.get("owned").asBoolean())).hasSize(1); // others are of other tools
        assertThat(list.get(0).get("name").asString()).isEqualTo(REFERENCE);
        assertThat(list.get(0).get("path").asString()).isEqualTo(file.toString());
        assertThat(list.get(0).get("bytes").asLong()).isEqualTo(Files.size(file));
        assertThat(run("list").succeeded().out()).contains("NAME", REFERENCE, "smollm2");

        Cli.Result answer = run("run", "-m", REFERENCE, "--chat", "--temperature", "0", "Say yes.");
        assertThat(answer.succeeded().out()).isEqualTo("Yes.");

        assertThat(run("rm", REFERENCE).status()).isZero();
        assertThat(file).doesNotExist();
        run("rm", REFERENCE).failed("is not in");
        assertThat(run("list").succeeded().out()).contains("No model is here yet");
    }

    @Test
    void whatOllamaHasIsListedAndRuns() throws Exception {
        byte[] model = Files.readAllBytes(Path.of(Cli.CHAT));
        String sha256 =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(model));
        Path blobs = Files.createDirectories(folder.resolve("ollama/blobs"));
        Path blob = Files.write(blobs.resolve("sha256-" + sha256), model);
        Path manifests = Files.createDirectories(folder.resolve("ollama/manifests/registry.ollama.ai/library/ferry"));
        Files.writeString(
                manifests.resolve("latest"),
                "{\"layers\": [{\"mediaType\": \"application/vnd.ollama.image.model\", \"digest\": \"sha256:" + sha256
                        + "\", \"size\": " + model.length + "}]}");
        assertThat(run("list").succeeded().out()).contains("Models of other tools", "ollama:ferry:latest", "Ollama");
        JsonNode listed = run("list", "--json")
                .succeeded()
                .json()
                .valueStream()
                .filter(m -> m.get("name").asString().equals("ollama:ferry:latest"))
                .findFirst()
                .orElseThrow();
        assertThat(listed.get("owned").asBoolean()).isFalse();
        assertThat(listed.get("path").asString()).isEqualTo(blob.toString());
        Cli.Result answer = run("run", "-m", "ollama:ferry", "--chat", "--temperature", "0", "Say yes.");
        assertThat(answer.succeeded().out()).isEqualTo("Yes.");
        assertThat(run("list").succeeded().out()).containsPattern("ollama:ferry +274.1 kB +.*\\(Ollama\\)");
        run("run", "-m", "ollama:boat", "Hi").failed("Ollama has no model boat", "ollama:ferry:latest");
    }

    /** Waits until something of what was sent is on the disk. */
    private void awaitPart() throws Exception {
        for (long end = System.nanoTime() + 30_000_000_000L; ; Thread.sleep(5)) {
            assertThat(System.nanoTime()).as("nothing arrives").isLessThan(end);
            // not Files.walk: it looks at files that are renamed meanwhile
            File[] parts =
                    folder.resolve("home/models/.parts").toFile().listFiles((at, name) -> name.endsWith(".part"));
            if (parts != null && Arrays.stream(parts).anyMatch(part -> part.length() > 0)) {
                return;
            }
        }
    }

    @Test
    void anInterruptedFetchIsContinued() throws Exception {
        hub.stallAfter(100_000);
        Child child = child("pull", REFERENCE);
        hub.awaitStall(Duration.ofSeconds(30));
        awaitPart();
        child.interrupt();
        assertThat(child.process().waitFor()).isEqualTo(130);
        assertThat(child.err()).contains("puna: interrupted; what was received is kept");

        hub.stallAfter(Integer.MAX_VALUE);
        Cli.Result again = run("pull", REFERENCE);
        assertThat(again.status()).as(again.err()).isZero();
        assertThat(again.err()).contains("are here already");
        assertThat(hub.ranges()).isNotEmpty();
        assertThat(Path.of(again.out().strip())).hasSameBinaryContentAs(Path.of(Cli.CHAT));
    }

    @Test
    void whatIsNotThere() throws Exception {
        assertThat(run("pull", "owner/nothing:x.gguf").status()).isEqualTo(1);
        Cli.run("pull", "smollm2").failed("PUNA_OFFLINE"); // as this process's environment says
        Cli.run("run", "-m", "smollm2", "Hello").failed("PUNA_OFFLINE");
        Cli.run("rm", Cli.CHAT).failed("is a file of yours");
        Cli.run("rm", "smollm2").failed("is not in");
        assertThat(Path.of(Cli.CHAT)).exists();
    }

    @Test
    void aStoreThatCannotBeWritten() throws Exception {
        Files.writeString(folder.resolve("home"), "a file where a folder should be");
        Cli.Result result = run("pull", REFERENCE);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err().lines().toList().getLast())
                .startsWith("puna: ")
                .contains(folder.resolve("home").toString());
        assertThat(result.err()).doesNotContain("Exception");
    }
}
