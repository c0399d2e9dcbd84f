// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.ContextOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** {@code --threads} and {@code --context}. */
final class EngineOptions {
    @Spec(Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute (default: the physical cores).")
    private @Nullable Integer threads;

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "Positions of the conversation, prompt and answer together (default: as trained).")
    private @Nullable Integer context;

    /** Complains about values out of range, before anything is fetched or loaded. */
    void check() {
        if (threads != null && (threads < 1 || threads > 256)) {
            throw PunaCommand.wrong(command, "--threads is " + threads + "; it may be 1 to 256");
        }
        if (context != null && context < 2) {
            throw PunaCommand.wrong(command, "--context is " + context + "; it must be at least 2");
        }
    }

    void apply(ContextOptions options) {
        options.maxSequences(1);
        if (threads != null) {
            options.threads(threads);
        }
        if (context != null) {
            options.contextLength(context);
        }
    }
}
