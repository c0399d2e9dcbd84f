// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a method that a model may call.
 *
 * <pre>{@code
 * class Weather {
 *     @Tool("tells the weather of a city")
 *     String weather(@Param("city") String city) {
 *         return "rain";
 *     }
 * }
 * String answer = chat.tools(new Weather()).user("Rain in Seoul?").text();
 * }</pre>
 *
 * <p>Parameters may be records, enums, numbers, booleans, texts, dates, lists, maps and optionals of these; {@link
 * Description} explains them, {@link Param} names them where the class was compiled without {@code -parameters}. What
 * the method gives is told to the model: a text as it is, anything else as JSON. It runs on the thread that asked.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Tool {
    /** {@return what it does, for the model} */
    String value();

    /** {@return its name; the method's unless set} */
    String name() default "";
}
