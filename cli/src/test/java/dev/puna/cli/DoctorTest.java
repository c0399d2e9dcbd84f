// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code puna doctor}. */
class DoctorTest {
    @TempDir
    Path folder;

    @Test
    void jsonOfAMachineThatIsWell() {
        Cli.Result result = Cli.run("doctor", "--json");
        JsonNode json = result.json();
        assertThat(json.get("problems")).as(result.out()).isEmpty();
        assertThat(result.succeeded().status()).isZero();
        assertThat(json.get("healthy").asBoolean()).isTrue();
        assertThat(json.get("library").get("abi").asInt()).isEqualTo(1);
        assertThat(json.get("library").get("build").asString()).containsPattern("(gcc|clang) \\d+");
        List<String> tiers = new ArrayList<>();
        json.get("processor").get("tiers").forEach(tier -> tiers.add(tier.asString()));
        assertThat(tiers)
                .startsWith("ref")
                .contains(json.get("processor").get("tier").asString());
        assertThat(json.get("memory").get("total").asLong())
                .isGreaterThan(json.get("memory").get("free").asLong());
        assertThat(json.get("models").get("writable").asBoolean()).isTrue();
        assertThat(json.get("self_test").get("failed")).isEmpty();
        assertThat(json.get("self_test").get("kernels").asInt()).isEqualTo(16 + 37 * (tiers.size() - 1));
    }

    @Test
    void aReportForPeopleThatTellsNothingOfTheUser() {
        String out = Cli.run("doctor").out();
        assertThat(out)
                .contains("LIBRARY", "PROCESSOR", "MEMORY", "SYSTEM", "JAVA", "MODELS", "OTHER TOOLS", "SELF TEST")
                .containsPattern("(?m)^All is well(, \\d+ warnings?)?\\.$");
        String home = System.getProperty("user.home");
        assertThat(home.length() > 1 ? out : "").doesNotContain(home);
    }

    @Test
    void whatIsWrongIsAProblemAndTheStatusOne() throws Exception {
        Map<String, String> variables = Map.of("PUNA_CPU_TIER", "avx1024", "PUNA_HOME", "/proc/nothing");
        Cli.Result result = Child.start(folder, variables, "doctor", "--json").result("");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.json().get("healthy").asBoolean()).isFalse();
        List<String> problems = new ArrayList<>();
        result.json().get("problems").forEach(sentence -> problems.add(sentence.asString()));
        assertThat(problems)
                .anySatisfy(sentence -> assertThat(sentence).contains("avx1024"))
                .anySatisfy(sentence -> assertThat(sentence).contains("/proc", "PUNA_HOME"));
        Cli.Result lost = Child.start(folder, Map.of("_JAVA_OPTIONS", "-Dpuna.library.path=/nowhere"), "doctor")
                .result("");
        assertThat(lost.status()).isEqualTo(1);
        assertThat(lost.out()).contains("PROBLEM:", "/nowhere");
    }

    @Test
    void namesAreLeftOut() {
        Findings found = new Findings("/home/ada", "ada");
        assertThat(found.discreet("/home/ada/models, /home/ada: /home/adam /mnt/ada/x /ada.txt adamant"))
                .isEqualTo("~/models, ~: /home/adam /mnt/USER/x /ada.txt adamant");
        found.fact("models", "folder", "/home/ada/models");
        found.problem("no room in /data/ada");
        assertThat(found.asJson().toString()).doesNotContain("ada/").contains("~/models", "/data/USER");
    }

    /** The self-test with another process in the kernels' place; $0 is the number of the first one. */
    private static KernelCheck.Result with(String script, int seconds) {
        return new KernelCheck(List.of("sh", "-c", script), seconds).run();
    }

    @Test
    void aKernelThatEndsTheProcessIsNamedAndTheOthersAreTested() {
        KernelCheck.Result result = with("""
            case $0 in
            0) echo run ref product_f32; echo same; echo run avx2 rope; echo '#  SIGILL (0x4) at pc=0x1'; kill -ABRT $$ ;;
            2) echo run avx2 add; echo 'differs: 1 of 3 cases'; echo run avx2 scale; kill -KILL $$ ;;
            4) echo run avx512 add; echo same; echo done ;;
            esac
            """, 20);
        assertThat(result.tested()).isEqualTo(3);
        assertThat(result.trouble()).isEmpty();
        assertThat(result.failed())
                .containsExactly(
                        new KernelCheck.Failure("avx2", "rope", "crashes: SIGILL"),
                        new KernelCheck.Failure("avx2", "add", "differs: 1 of 3 cases"),
                        new KernelCheck.Failure("avx2", "scale", "crashes: the process ended with status 137"));
        Findings found = new Findings("", "");
        DoctorCommand.report(result, found);
        assertThat(found.healthy()).isFalse();
        assertThat(found.asJson().get("problems").toString()).contains("the kernel rope of avx2 crashes: SIGILL");
    }

    @Test
    void aKernelThatHangsIsStopped() {
        KernelCheck.Result result = with("echo run avx2 rope; exec sleep 60", 1);
        assertThat(result.seconds()).isLessThan(30);
        assertThat(result.failed())
                .containsExactly(new KernelCheck.Failure("avx2", "rope", "hangs: stopped after 1 s"));
        assertThat(result.trouble()).isNotEmpty();
    }

    @Test
    void aProcessThatNeverGetsToItIsAProblem() {
        assertThat(with("echo no such option; exit 1", 20).trouble()).contains("no such option");
        assertThat(new KernelCheck(List.of("/no/such/program"), 20).run().trouble())
                .contains("can't be started");
    }

    /** A real virtual machine that crashes says it in the words that are looked for. */
    @Test
    void aVirtualMachinesCrashIsRead() {
        KernelCheck.Result result = new KernelCheck(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-XX:-CreateCoredumpOnCrash",
                                "-XX:ErrorFile=" + folder.resolve("crash.txt"),
                                "-XX:TieredStopAtLevel=1",
                                Cli.DATA
                                        .resolve("../../../cli/src/test/java/dev/puna/cli/Crashing.java")
                                        .toString()),
                        30)
                .run();
        assertThat(result.failed()).containsExactly(new KernelCheck.Failure("avx2", "rope", "crashes: SIGSEGV"));
    }
}
