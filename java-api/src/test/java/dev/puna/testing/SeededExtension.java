// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/** Runs the methods of {@link Seeded}. */
final class SeededExtension implements TestTemplateInvocationContextProvider {
    private static final String PROPERTY = "puna.seed";

    SeededExtension() {}

    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return context.getRequiredTestMethod().isAnnotationPresent(Seeded.class);
    }

    @Override
    public Stream<? extends TestTemplateInvocationContext> provideTestTemplateInvocationContexts(
            ExtensionContext context) {
        int rounds = context.getRequiredTestMethod().getAnnotation(Seeded.class).rounds();
        return seeds(System.getProperty(PROPERTY), rounds, System.nanoTime()).mapToObj(Round::new);
    }

    /** The seed that was given, alone; or as many as there are rounds. */
    static LongStream seeds(@Nullable String given, int rounds, long start) {
        if (given != null && !given.isBlank()) {
            return LongStream.of(Long.parseLong(given.strip()));
        }
        return new Random(start).longs(rounds);
    }

    /** One run with one seed. */
    private record Round(long seed) implements TestTemplateInvocationContext {
        @Override
        public String getDisplayName(int index) {
            return "seed " + seed;
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(new Source(seed));
        }
    }

    /** Hands the random numbers to the method and names the seed when it fails. */
    private record Source(long seed) implements ParameterResolver, TestExecutionExceptionHandler {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Random.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return new Random(seed);
        }

        @Override
        public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
            String test = context.getRequiredTestClass().getSimpleName() + "."
                    + context.getRequiredTestMethod().getName();
            String again = "run this one again by: -Dtest=" + test.replace('.', '#') + " -D" + PROPERTY + "=" + seed;
            System.err.println(test + " failed with seed " + seed + "; " + again);
            failure.addSuppressed(new AssertionError(again));
            throw failure;
        }
    }
}
