// SPDX-License-Identifier: Apache-2.0
package dev.puna.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** That the benchmarks run, and that garbage keeps within bounds: of time, one run says nothing. */
class TokenBenchmarkTest {
    @Test
    void eachRunsOnce() throws RunnerException {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include(TokenBenchmark.class.getName())
                        .forks(0)
                        .mode(Mode.SingleShotTime)
                        .warmupIterations(1)
                        .measurementIterations(1)
                        .shouldFailOnError(true)
                        .addProfiler(GCProfiler.class)
                        .build())
                .run();
        assertThat(results).hasSize(3).allSatisfy(result -> {
            assertThat(result.getPrimaryResult().getScore()).isPositive();
            assertThat(result.getSecondaryResults().get("gc.alloc.rate.norm").getScore())
                    .as("%s: bytes a token", result.getParams().getBenchmark())
                    .isBetween(1.0, 4_000.0);
        });
    }
}
