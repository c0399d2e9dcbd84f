// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Request;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** What the answer must be: docs/constrain.md. */
final class FormOptions {
    @ArgGroup(exclusive = true)
    private @Nullable Form form;

    private static final class Form {
        @Option(
                names = "--json-schema",
                paramLabel = "FILE",
                description = "The answer is JSON that this schema allows.")
        private @Nullable Path schema;

        @Option(names = "--grammar", paramLabel = "FILE", description = "The answer follows this grammar (GBNF).")
        private @Nullable Path grammar;

        @Option(
                names = "--regex",
                paramLabel = "PATTERN",
                description = "The answer is what this pattern matches, whole.")
        private @Nullable String regex;
    }

    private @Nullable String text;

    /** Reads what there is to read, before anything is fetched or loaded. */
    void check() throws IOException {
        if (form != null && form.regex == null) {
            text = read(form.schema != null ? form.schema : form.grammar);
        }
    }

    private static String read(@Nullable Path file) throws IOException {
        if (file == null) {
            return "";
        }
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("there is no file " + file, e);
        } catch (MalformedInputException e) {
            throw new IllegalArgumentException(file + " is not UTF-8 text", e);
        }
    }

    /** Sets a request up. */
    <T extends Request<T>> void apply(T request) {
        if (form == null) {
            return;
        }
        if (form.regex != null) {
            request.regex(form.regex);
        } else if (text != null && form.schema != null) {
            request.json(text);
        } else if (text != null) {
            request.grammar(text);
        }
    }
}
