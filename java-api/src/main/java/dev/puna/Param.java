// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The name of a tool's parameter, where the class file lacks it: javac writes the names only with {@code -parameters}.
 *
 * <pre>{@code
 * @Tool("the weather of a place")
 * String weather(@Param("city") @Description("its name in English") String city) { ... }
 * }</pre>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.PARAMETER)
public @interface Param {
    /** {@return the name that the model sees} */
    String value();
}
