// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Tells the model what something is: a type, a record's component, a parameter of a tool. It stands in the JSON schema.
 *
 * <pre>{@code
 * record City(String name, @Description("inhabitants, in millions") double size) {}
 * }</pre>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.RECORD_COMPONENT, ElementType.PARAMETER})
public @interface Description {
    /** {@return the text for the model} */
    String value();
}
