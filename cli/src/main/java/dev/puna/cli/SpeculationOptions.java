// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.ContextOptions;
import dev.puna.Model;
import dev.puna.Speculation;
import dev.puna.store.ModelReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** {@code --speculate} and {@code --draft}. */
final class SpeculationOptions {
    @Spec(Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Option(
            names = "--speculate",
            paramLabel = "HOW",
            description = "Guess tokens ahead: lookup, from what was said already, or off. The answer is the same,"
                    + " sooner where it repeats itself (default: off).")
    private @Nullable String how;

    @Option(
            names = "--draft",
            paramLabel = "MODEL",
            converter = ModelOption.Converter.class,
            description = "A smaller model of the same vocabulary that guesses tokens ahead. The answer is the same.")
    private @Nullable ModelReference draft;

    /** What was asked for; closing it closes the draft model. */
    record Drafting(Speculation speculation, @Nullable Model draft) implements AutoCloseable {
        void apply(ContextOptions options) {
            options.speculation(speculation);
        }

        @Override
        public void close() {
            if (draft != null) {
                draft.close();
            }
        }
    }

    /** Complains about values that mean nothing, before anything is fetched or loaded. */
    void check() {
        if (how != null && !how.equals("off") && !how.equals("lookup")) {
            throw PunaCommand.wrong(command, "--speculate is '" + how + "'; it may be lookup or off");
        }
        if ("off".equals(how) && draft != null) {
            throw PunaCommand.wrong(command, "--draft needs speculation, which --speculate off forbids");
        }
    }

    /** Loads the draft model, if one was asked for. */
    Drafting open(Models models) {
        if (draft == null) {
            return new Drafting("lookup".equals(how) ? Speculation.lookup() : Speculation.off(), null);
        }
        Model loaded = models.load(draft, options -> {});
        return new Drafting(Speculation.draft(loaded), loaded);
    }
}
