// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.store.ModelReference;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code -m REF}, for the commands that take a model. */
final class ModelOption {
    static final String DEFAULT = "smollm2";

    @Option(
            names = {"-m", "--model"},
            paramLabel = "REF",
            defaultValue = DEFAULT,
            converter = Converter.class,
            description = "The model: a name, a path or owner/repo (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    ModelReference reference;

    boolean isDefault() {
        return reference.toString().equals(DEFAULT);
    }

    /** Reads a reference. */
    static final class Converter implements ITypeConverter<ModelReference> {
        @Override
        public ModelReference convert(String text) {
            try {
                return ModelReference.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
