// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.CacheType;
import dev.puna.ContextOptions;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;
import picocli.CommandLine.TypeConversionException;

/** What a memory plan is for: {@code --context}, {@code --threads}, {@code --parallel} and {@code --cache-type}. */
final class PlanOptions {
    @Spec(Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Mixin
    private final EngineOptions engine = new EngineOptions();

    @Option(
            names = "--parallel",
            paramLabel = "N",
            defaultValue = "1",
            description = "Plan for so many sequences at the same time (default: ${DEFAULT-VALUE}).")
    private int parallel;

    @Option(
            names = "--cache-type",
            paramLabel = "TYPE",
            converter = TypeConverter.class,
            description = "How keys and values are kept: f16, f32 or q8_0 (default: f16).")
    private @Nullable CacheType type;

    /** Complains about values out of range. */
    void check() {
        engine.check();
        if (parallel < 1 || parallel > 1024) {
            throw PunaCommand.wrong(command, "--parallel is " + parallel + "; it may be 1 to 1024");
        }
    }

    void apply(ContextOptions options) {
        engine.apply(options);
        options.maxSequences(parallel);
        if (type != null) {
            options.cacheType(type);
        }
    }

    int parallel() {
        return parallel;
    }

    String cacheType() {
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
                            java.util.Arrays.stream(CacheType.values())
                                    .map(PlanOptions::name)
                                    .toList()));
        }
    }
}
