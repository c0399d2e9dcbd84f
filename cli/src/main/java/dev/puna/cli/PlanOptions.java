// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.ContextOptions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** What a memory plan is for: {@code --context}, {@code --threads}, {@code --parallel} and {@code --cache-type}. */
final class PlanOptions {
    @Spec(Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Mixin
    private final EngineOptions engine = new EngineOptions();

    @Option(
            names = "--parallel",
            paramLabel = "N",
            defaultValue = "1",
            description = "Plan for so many sequences at the same time (default: ${DEFAULT-VALUE}).")
    private int parallel;

    @Mixin
    private final CacheTypeOption cache = new CacheTypeOption();

    /** Complains about values out of range. */
    void check() {
        engine.check();
        if (parallel < 1 || parallel > 1024) {
            throw PunaCommand.wrong(command, "--parallel is " + parallel + "; it may be 1 to 1024");
        }
    }

    void apply(ContextOptions options) {
        engine.apply(options);
        options.maxSequences(parallel);
        cache.apply(options);
    }

    int parallel() {
        return parallel;
    }

    String cacheType() {
        return cache.chosen();
    }
}
