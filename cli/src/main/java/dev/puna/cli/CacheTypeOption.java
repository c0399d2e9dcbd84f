// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.CacheType;
import dev.puna.ContextOptions;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code --cache-type}. */
final class CacheTypeOption {
    @Option(
            names = "--cache-type",
            paramLabel = "TYPE",
            converter = TypeConverter.class,
            description = "How keys and values are kept: f16, f32 or q8_0 (default: f16).")
    private @Nullable CacheType type;

    void apply(ContextOptions options) {
        if (type != null) {
            options.cacheType(type);
        }
    }

    String chosen() {
        return name(type != null ? type : CacheType.F16);
    }

    private static String name(CacheType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    /** Reads a type's name in any case. */
    static final class TypeConverter implements ITypeConverter<CacheType> {
        @Override
        public CacheType convert(String text) {
            for (CacheType type : CacheType.values()) {
                if (name(type).equalsIgnoreCase(text)) {
                    return type;
                }
            }
            throw new TypeConversionException("'" + text + "' is none of "
                    + String.join(
                            ", ",
                            Arrays.stream(CacheType.values())
                                    .map(CacheTypeOption::name)
                                    .toList()));
        }
    }
}
