// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Request;
import dev.puna.Sampler;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** How tokens are chosen, and how many. */
final class SamplingOptions {
    @Spec(Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "MAX",
            description = "At most this many tokens (default: 256; in a chat 1024).")
    private @Nullable Integer maxTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0.8",
            description = "Above 1 freer, below 1 stricter, 0 the most probable token (default: ${DEFAULT-VALUE}).")
    private float temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "40",
            description = "Choose among the K most probable; 0: all (default: ${DEFAULT-VALUE}).")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "0.95",
            description = "Choose among the most probable of together P (default: ${DEFAULT-VALUE}).")
    private float topP;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            defaultValue = "0.05",
            description = "At least P times as probable as the best (default: ${DEFAULT-VALUE}).")
    private float minP;

    @Option(
            names = "--repeat-penalty",
            paramLabel = "X",
            defaultValue = "1",
            description = "Above 1: makes the last tokens less probable (default: ${DEFAULT-VALUE}).")
    private float repeat;

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            defaultValue = "0",
            description = "Likewise, for each time that a token was there (default: ${DEFAULT-VALUE}).")
    private float frequency;

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            defaultValue = "0",
            description = "Likewise, once (default: ${DEFAULT-VALUE}).")
    private float presence;

    @Option(
            names = "--repeat-last-n",
            paramLabel = "N",
            defaultValue = "64",
            description = "How many tokens the penalties regard; -1: all (default: ${DEFAULT-VALUE}).")
    private int window;

    @Mixin
    private final StageOptions stages = new StageOptions();

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Equal seeds give equal answers (default: a new one each time).")
    private @Nullable Long seed;

    /** Complains about values out of range, before anything is fetched or loaded. */
    void check() {
        if (maxTokens != null && maxTokens < 1) {
            throw PunaCommand.wrong(command, "--max-tokens is " + maxTokens + "; it must be at least 1");
        }
        try {
            sampler(0);
            for (StageName name : StageName.values()) { // those too that are off
                stage(name);
            }
        } catch (IllegalArgumentException e) {
            throw PunaCommand.wrong(command, StageName.inOptions(String.valueOf(e.getMessage())));
        }
    }

    /** Sets a request up; {@code attempt} counts the answers to one question: each draws with a seed of its own. */
    <T extends Request<T>> T apply(T request, int defaultMaximum, int attempt) {
        return request.sampler(sampler(attempt)).maxTokens(maxTokens == null ? defaultMaximum : maxTokens);
    }

    private Sampler sampler(int attempt) {
        Sampler sampler = stages.complete(
                Sampler.of(stages.order(penalizes()).stream().map(this::stage).toArray(Sampler.Stage[]::new)));
        return seed == null ? sampler : sampler.seed(seed + attempt);
    }

    private boolean penalizes() {
        return repeat != 1 || frequency != 0 || presence != 0;
    }

    private Sampler.Stage stage(StageName name) {
        return switch (name) {
            case PENALTIES ->
                Sampler.repetition(p ->
                        p.window(window).repeat(repeat).frequency(frequency).presence(presence));
            case TOP_K -> Sampler.topK(topK);
            case TOP_P -> Sampler.topP(topP);
            case MIN_P -> Sampler.minP(minP);
            default -> stages.stage(name, temperature);
        };
    }
}
