// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import dev.puna.internal.json.Json;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** Values that a schema names (const, enum), as expressions of a grammar: each text and number has one spelling. */
final class JsonLiteral {
    private JsonLiteral() {}

    /** A text with its quotes, as JSON. */
    static String text(String text) {
        StringBuilder out = new StringBuilder("\"");
        text.codePoints().forEach(c -> {
            if (c < 0x20 || c == '"' || c == '\\') {
                out.append(Json.escaped(c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.append('"').toString();
    }

    /** Any value, with {@code space} where blanks may stand. */
    static String expression(@Nullable Object value, String space) {
        return switch (value) {
            case null -> "\"null\"";
            case String text -> GrammarText.quoted(text(text));
            case BigDecimal number -> GrammarText.quoted(number(number));
            case List<?> list -> {
                StringJoiner out = new StringJoiner(" \",\" " + space + " ", "\"[\" ", " \"]\"");
                out.setEmptyValue("\"[]\"");
                list.forEach(item -> out.add(expression(item, space)));
                yield out.toString();
            }
            case Map<?, ?> map -> {
                StringJoiner out = new StringJoiner(" \",\" " + space + " ", "\"{\" ", " \"}\"");
                out.setEmptyValue("\"{}\"");
                map.forEach((key, item) -> out.add(
                        GrammarText.quoted(text((String) key) + ":") + " " + space + " " + expression(item, space)));
                yield out.toString();
            }
            default -> GrammarText.quoted(String.valueOf(value)); // true, false
        };
    }

    private static String number(BigDecimal number) {
        boolean plain = number.scale() >= -20 && number.scale() <= 40 && number.precision() <= 60;
        return plain ? number.toPlainString() : number.toString();
    }
}
