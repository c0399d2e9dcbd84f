// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Channel;
import dev.puna.ContextOptions;
import dev.puna.Message;
import dev.puna.Model;
import dev.puna.Piece;
import dev.puna.Reply;
import dev.puna.Request;
import dev.puna.TextStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code puna run}: one generation. */
@Command(name = "run", description = "Continue a text, or answer it with --chat; the text alone on standard output.")
final class RunCommand implements Callable<Integer> {
    private static final int RAW_TOKENS = 256;

    private final Streams streams;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private final ModelOption model = new ModelOption();

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

    @Option(
            names = "--context-shift",
            description = "Go on where the context is full: the older half behind the beginning is forgotten.")
    private boolean shift;

    @Mixin
    private final FormOptions form = new FormOptions();

    @Option(names = "--chat", description = "The prompt is what a user says; the model's chat template is applied.")
    private boolean chat;

    @Option(names = "--system", paramLabel = "TEXT", description = "With --chat: what the model is told to be.")
    private @Nullable String system;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End in front of this text; may be repeated.")
    private List<String> stops = new ArrayList<>();

    @Option(names = "--json", description = "One JSON object: text, tokens, stop reason, seed, usage, timings.")
    private boolean json;

    @Option(names = "--logprobs", paramLabel = "N", description = "With --json: log-probabilities, of the N best too.")
    private @Nullable Integer logprobs;

    @Option(names = "--record", paramLabel = "FILE", description = "Write what puna replay needs to repeat this.")
    private @Nullable Path record;

    @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "The text (default: standard input, as it is).")
    private @Nullable String prompt;

    RunCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        check();
        byte[] text = prompt != null ? prompt.getBytes(StandardCharsets.UTF_8) : read();
        if (text.length == 0) {
            throw new IllegalArgumentException("the prompt is empty; it must hold at least one character");
        }
        Models models = new Models(streams);
        try (SpeculationOptions.Drafting drafting = speculation.open(models);
                Model loaded = models.load(model.reference, options -> setUp(options, drafting))) {
            AdapterOptions.Loaded used = adapters.open(loaded);
            if (chat) {
                String said = new String(text, StandardCharsets.UTF_8);
                List<Message> messages = system == null
                        ? List.of(Message.user(said))
                        : List.of(Message.system(system), Message.user(said));
                generate(loaded, used, loaded.chat(messages), ChatCommand.ANSWER_TOKENS);
            } else {
                int[] ids = loaded.tokenizer().encode(text, false, true);
                generate(loaded, used, loaded.prompt(ids), RAW_TOKENS);
            }
        }
        return 0;
    }

    private void check() throws IOException {
        sampling.check();
        engine.check();
        speculation.check();
        adapters.check();
        form.check();
        if (system != null && !chat) {
            throw PunaCommand.wrong(spec, "--system needs --chat");
        }
        if (logprobs != null && (!json || logprobs < 0 || logprobs > 64)) {
            throw PunaCommand.wrong(
                    spec, json ? "--logprobs is " + logprobs + "; it may be 0 to 64" : "--logprobs needs --json");
        }
        if (stops.contains("")) {
            throw PunaCommand.wrong(spec, "a --stop text is empty");
        }
        if (stops.size() > 64) {
            throw PunaCommand.wrong(spec, stops.size() + " --stop texts; at most 64 are possible");
        }
    }

    private void setUp(ContextOptions options, SpeculationOptions.Drafting drafting) {
        engine.apply(options);
        cache.apply(options);
        drafting.apply(options);
    }

    private byte[] read() throws IOException {
        if (streams.inIsTerminal()) {
            streams.err().println("puna: reading the prompt from the terminal; Ctrl-D ends it");
            streams.err().flush();
        }
        return streams.in().readAllBytes();
    }

    private <T extends Request<T>> void generate(Model loaded, AdapterOptions.Loaded used, T request, int maximum) {
        sampling.apply(used.apply(request), maximum, 0).stop(stops.toArray(String[]::new));
        form.apply(request);
        if (shift) {
            request.contextShift();
        }
        if (logprobs != null) {
            request.logprobs(logprobs);
        }
        try (TextStream stream = request.stream()) {
            if (json) {
                Map<String, Object> reply = Replies.asJson(loaded, stream.reply());
                if (!used.all().isEmpty()) {
                    reply.put("adapters", used.describe());
                }
                Json.print(streams.out(), reply);
            } else {
                print(stream);
            }
            if (record != null) {
                stream.reply().record().save(record);
            }
        }
    }

    private void print(TextStream stream) {
        PrintStream out = streams.out();
        for (Piece piece : stream) {
            if (piece.channel() == Channel.REASONING) {
                continue; // the answer alone
            }
            out.print(piece.text());
            if (out.checkError()) { // which flushes; nobody reads any more
                return;
            }
        }
        Reply reply = stream.reply();
        if (streams.outIsTerminal() && !reply.text().endsWith("\n")) {
            out.println();
        }
    }
}
