// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test over random inputs. Its method takes a {@link java.util.Random} and runs once a round, each with a seed of its
 * own:
 *
 * <pre>{@code
 * @Seeded(rounds = 200)
 * void survivesAnyText(Random random) { ... }
 * }</pre>
 *
 * A failure prints the round's seed; {@code -Dpuna.seed=N} runs that seed alone.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@TestTemplate
@ExtendWith(SeededExtension.class)
public @interface Seeded {
    /** How many seeds are tried. */
    int rounds() default 1;
}
