// SPDX-License-Identifier: Apache-2.0
package dev.puna.processes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.puna.testing.Altered;
import dev.puna.testing.ChildJvm;
import dev.puna.testing.Models;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What can only be seen from outside a virtual machine. */
@Timeout(120)
class ProcessesTest {
    private static long number(String text, String name) {
        return text.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line -> Long.parseLong(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is missing: " + text));
    }

    @Test
    void loadingNeverHoldsTheOnlyCarrier() {
        String said = "";
        for (int attempt = 0; attempt < 4; attempt++) { // others may take the processor away from the ticking thread
            said = loadTwice();
            // a native call on the carrier would stop the ticks for as long as a load takes: half of the time or more
            if (number(said, "longest") < number(said, "took") / 4 + 50
                    && number(said, "ticks") > number(said, "took") / 20) {
                return;
            }
        }
        throw new AssertionError("the ticks stopped in four runs; the last one said: " + said);
    }

    private static String loadTwice() {
        ChildJvm.Result result = ChildJvm.run(
                Programs.TwoLoads.class,
                List.of("-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1"));
        assertThat(result.status()).as(result.text()).isZero();
        assertThat(result.text().lines().filter(line -> line.startsWith("answer ")))
                .hasSize(2);
        return result.text();
    }

    @Test
    void returningFromMainEndsTheVirtualMachine() {
        ChildJvm.Result result = ChildJvm.run(Programs.Careless.class, List.of());
        assertThat(result.status()).as(result.text()).isZero();
        assertThat(result.text()).contains("first ");
    }

    @Test
    void twoClassLoadersGenerateSideBySide() {
        ChildJvm.Result result = ChildJvm.run(Programs.TwoLoaders.class, List.of());
        assertThat(result.status()).as(result.text()).isZero();
        List<String> answers = result.text()
                .lines()
                .filter(line -> line.startsWith(Models.answer("Hello")))
                .toList();
        assertThat(answers).hasSize(2).doesNotHaveDuplicates();
    }

    @Test
    void forgottenModelsAreFreedAndTheLogSaysWhereTheyWereOpened() {
        ChildJvm.Result result = ChildJvm.run(Programs.Forgetful.class, List.of("-Xmx64m"));
        assertThat(result.status()).as(result.text()).isZero();
        assertThat(result.text()).contains("engines left 0");
        assertThat(result.text().lines().filter(line -> line.contains("a model was never closed")))
                .hasSize(6);
        assertThat(result.text())
                .contains("Programs$Forgetful.forget(Programs.java")
                .doesNotContain("SEVERE");
    }

    @Test
    void anInvalidTemplateFallsBackWithAWarning(@TempDir Path folder) throws IOException {
        for (String template : List.of("{% if %}{{ broken", "{{ undefined_function(messages) }}")) {
            Path file = Altered.template(Models.TINY, folder.resolve("bad.gguf"), template);
            ChildJvm.Result result = ChildJvm.run(Programs.BadTemplate.class, List.of(), file.toString());
            assertThat(result.status()).as(result.text()).isZero();
            assertThat(result.text())
                    .contains("WARN", "chat template", "ChatML is used in its place")
                    .contains(
                            "rendered"
                                    + " <|im_start|>system|Be.<|im_end|>|<|im_start|>user|Hello<|im_end|>|<|im_start|>assistant|")
                    .contains("answer " + Models.answer("Hello"))
                    .doesNotContain("CHAT");
        }
    }
}
