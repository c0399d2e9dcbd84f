// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.ContextOptions;
import dev.puna.Model;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code puna chat}: a conversation at a terminal, or line by line through a pipe. */
@Command(
        name = "chat",
        description = "Talk with a model. Through a pipe: one user turn a line, the answers alone on standard output.")
final class ChatCommand implements Callable<Integer> {
    static final int ANSWER_TOKENS = 1024;

    private final Streams streams;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told to be.")
    private @Nullable String system;

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private final EngineOptions engine = new EngineOptions();

    @Mixin
    private final CacheTypeOption cache = new CacheTypeOption();

    @Mixin
    private final SpeculationOptions speculation = new SpeculationOptions();

    @Mixin
    private final AdapterOptions adapters = new AdapterOptions();

    @Option(names = "--context-shift", description = "Go on where the context is full: the oldest turns are forgotten.")
    private boolean shift;

    ChatCommand(Streams streams) {
        this.streams = streams;
    }

    private void setUp(ContextOptions options, SpeculationOptions.Drafting drafting) {
        engine.apply(options);
        cache.apply(options);
        drafting.apply(options);
    }

    @Override
    public Integer call() throws IOException {
        sampling.check();
        engine.check();
        speculation.check();
        adapters.check();
        Models models = new Models(streams);
        try (SpeculationOptions.Drafting drafting = speculation.open(models);
                Model loaded = models.load(model.reference, options -> setUp(options, drafting));
                Conversation conversation = new Conversation(loaded, system, sampling, shift, adapters.open(loaded))) {
            if (streams.inIsTerminal() && streams.outIsTerminal()) {
                new ChatTerminal(streams, conversation, model.isDefault()).talk();
            } else {
                new ChatPipe(streams, conversation).talk();
            }
        }
        return 0;
    }
}
