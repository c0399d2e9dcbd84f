// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import java.util.List;

/** Llama 3: the whole answer is {@code {"name": ..., "parameters": {...}}}, sometimes behind a control token. */
record BareJson() implements ToolFormat {
    private static final String TAG = "<|python_tag|>";

    @Override
    public String open() {
        return "";
    }

    @Override
    public String close() {
        return "";
    }

    @Override
    public List<String> inner() {
        return List.of(TAG);
    }

    @Override
    public List<Call> parse(String body, Tools tools) {
        String text = body.strip();
        return JsonCalls.read(text.startsWith(TAG) ? text.substring(TAG.length()) : text);
    }
}
