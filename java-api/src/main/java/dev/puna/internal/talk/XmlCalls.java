// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import dev.puna.internal.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Qwen3-Coder, Seed and others: {@code <function=NAME><parameter=KEY>value</parameter></function>} between two marks.
 * Values are bare: the tool's schema says which are texts.
 *
 * @param open mark around all
 * @param close mark around all
 */
record XmlCalls(String open, String close) implements ToolFormat {
    private static final Pattern FUNCTION = Pattern.compile("\\s*<function=([^>\\s]+)>");
    private static final Pattern PARAMETER = Pattern.compile("\\s*<parameter=([^>\\s]+)>");
    private static final String FUNCTION_END = "</function>";
    private static final String PARAMETER_END = "</parameter>";

    @Override
    public List<Call> parse(String body, Tools tools) {
        List<Call> calls = new ArrayList<>();
        int at = 0;
        while (!body.substring(at).isBlank()) {
            Matcher function = FUNCTION.matcher(body).region(at, body.length());
            if (!function.lookingAt()) {
                throw new IllegalArgumentException("no <function= where one is expected");
            }
            String name = function.group(1);
            Map<String, Object> arguments = new LinkedHashMap<>();
            at = function.end();
            Matcher parameter = PARAMETER.matcher(body).region(at, body.length());
            while (parameter.lookingAt()) {
                int end = body.indexOf(PARAMETER_END, parameter.end());
                if (end < 0) {
                    throw new IllegalArgumentException("a parameter has no end");
                }
                String key = parameter.group(1);
                arguments.put(key, value(inLines(body.substring(parameter.end(), end)), tools.isText(name, key)));
                at = end + PARAMETER_END.length();
                parameter.region(at, body.length());
            }
            String rest = body.substring(at);
            if (!rest.stripLeading().startsWith(FUNCTION_END)) {
                throw new IllegalArgumentException("a function has no end");
            }
            at = body.indexOf(FUNCTION_END, at) + FUNCTION_END.length();
            calls.add(new Call("", name, arguments));
        }
        if (calls.isEmpty()) {
            throw new IllegalArgumentException("no call is there");
        }
        return calls;
    }

    /** The line ends that the format puts around a value are not part of it. */
    private static String inLines(String text) {
        String value = text.startsWith("\n") ? text.substring(1) : text;
        return value.endsWith("\n") ? value.substring(0, value.length() - 1) : value;
    }

    private static @Nullable Object value(String text, boolean isText) {
        if (!isText) {
            try {
                return Json.parse(text);
            } catch (IllegalArgumentException e) {
                return text; // bare text is what it looks like
            }
        }
        return text;
    }
}
