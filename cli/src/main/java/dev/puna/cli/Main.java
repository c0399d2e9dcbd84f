// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.PunaException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Map;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Where the command line begins. Exit status 0; 1 with one line on standard error; 2 for usage; 130 when interrupted,
 * which is the Java machine's own.
 */
public final class Main {
    static final int FAILED = 1;
    static final int USAGE = 2;

    /** The API's own names become those of the options. */
    private static final Map<String, String> OPTIONS = Map.of(
            "contextLength", "--context",
            "maxTokens", "--max-tokens");

    private Main() {}

    /**
     * Runs one command and ends the process with its status.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        System.exit(run(arguments, Streams.ofProcess()));
    }

    /** Runs one command; nothing is thrown. */
    static int run(String[] arguments, Streams streams) {
        PunaCommand root = new PunaCommand();
        try {
            int status = commandLine(root, streams).execute(arguments);
            if (streams.out().checkError() && status == 0 && !streams.readerLeft()) {
                return fail(streams, "standard output cannot be written");
            }
            return status;
        } catch (OutOfMemoryError e) {
            return fail(streams, "the memory of the Java machine is full; give it more with JAVA_TOOL_OPTIONS=-Xmx8g");
        } catch (Throwable e) { // a mistake of ours must not look like a crash
            if (root.verbose) {
                e.printStackTrace(streams.err());
            }
            return fail(streams, "this should not have happened: " + e);
        }
    }

    private static CommandLine commandLine(PunaCommand root, Streams streams) {
        CommandLine all = new CommandLine(root);
        List.of(
                        new ChatCommand(streams),
                        new RunCommand(streams),
                        new EmbedCommand(streams),
                        new RerankCommand(streams),
                        new ClassifyCommand(streams),
                        new FillMaskCommand(streams),
                        new TranslateCommand(streams),
                        new SummarizeCommand(streams),
                        new TokenizeCommand(streams),
                        new LogitsCommand(streams),
                        new InfoCommand(streams),
                        new BenchCommand(streams),
                        new ReplayCommand(streams),
                        new ConvertCommand(streams),
                        new PullCommand(streams),
                        new ListCommand(streams),
                        new RemoveCommand(streams),
                        new DoctorCommand(streams),
                        new AutoComplete.GenerateCompletion(),
                        new CommandLine.HelpCommand())
                .forEach(all::addSubcommand);
        all.setExpandAtFiles(false); // a prompt may begin with @
        all.setUsageHelpWidth(100);
        all.setUsageHelpLongOptionsMaxWidth(30);
        all.setColorScheme(CommandLine.Help.defaultColorScheme(streams.colours() ? Ansi.ON : Ansi.OFF));
        all.setOut(streams.writer(streams.out()));
        all.setErr(streams.writer(streams.err()));
        all.setParameterExceptionHandler((e, arguments) -> usage(e, streams));
        all.setExecutionExceptionHandler((e, command, parsed) -> failed(e, root, streams));
        all.setExecutionStrategy(parsed -> execute(parsed, root, streams));
        return all;
    }

    private static int execute(ParseResult parsed, PunaCommand root, Streams streams) {
        Logging.configure(root.verbose, streams);
        return new CommandLine.RunLast().execute(parsed);
    }

    private static int usage(ParameterException e, Streams streams) {
        streams.err().println("puna: " + oneLine(String.valueOf(e.getMessage())));
        streams.err().println("Try '" + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
        streams.err().flush();
        return USAGE;
    }

    private static int failed(Exception e, PunaCommand root, Streams streams) {
        if (root.verbose) {
            e.printStackTrace(streams.err());
        }
        return switch (e) {
            case ParameterException wrong -> usage(wrong, streams);
            case PunaException known -> fail(streams, String.valueOf(known.getMessage()));
            case IllegalArgumentException wrong -> fail(streams, String.valueOf(wrong.getMessage()));
            case IOException io -> fail(streams, sentence(io));
            default -> fail(streams, "this should not have happened: " + e);
        };
    }

    /** What the file system says is often a bare path. */
    private static String sentence(IOException e) {
        return switch (e) {
            case NoSuchFileException f -> f.getFile() + ": no such file or folder";
            case AccessDeniedException f -> f.getFile() + ": permission denied";
            case FileAlreadyExistsException f -> f.getFile() + ": exists already";
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }

    private static int fail(Streams streams, String sentence) {
        streams.out().flush();
        streams.err().println("puna: " + oneLine(sentence));
        streams.err().flush();
        return FAILED;
    }

    static String oneLine(String text) {
        String line = text.strip().replaceAll("\\s*\\R\\s*", "; ");
        for (Map.Entry<String, String> name : OPTIONS.entrySet()) {
            line = line.replaceAll("(?<![-\\w])" + name.getKey() + "(?!\\w)", name.getValue());
        }
        return line;
    }
}
