// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A folder's chat templates: one, or several by name, in any of the places where they may lie. */
final class ChatTemplates {
    private static final Pattern NAME = Pattern.compile("[\\w. -]{1,64}");

    private ChatTemplates() {}

    static void write(Folder folder, Entries e) {
        Map<String, String> templates = find(folder);
        List<String> others = new ArrayList<>();
        templates.forEach((name, template) -> {
            if (!NAME.matcher(name).matches()) {
                throw Damage.in(
                        "tokenizer_config.json", "chat_template", "has the name \"" + Damage.quote(name) + "\"");
            }
            if (name.equals("default")) {
                e.text("tokenizer.chat_template", template);
            } else {
                e.text("tokenizer.chat_template." + name, template);
                others.add(name);
            }
        });
        if (!others.isEmpty()) {
            e.texts("tokenizer.chat_templates", others);
        }
    }

    private static Map<String, String> find(Folder folder) {
        Config settings = folder.optional("tokenizer_config.json");
        if (settings.has("chat_template")) {
            return named(settings, settings.value("chat_template"));
        }
        Map<String, String> templates = new LinkedHashMap<>();
        if (folder.has("chat_template.jinja")) {
            templates.put("default", folder.text("chat_template.jinja"));
            for (String file : folder.list("additional_chat_templates", ".jinja")) {
                templates.put(
                        file.substring(0, file.length() - ".jinja".length()),
                        folder.text("additional_chat_templates/" + file));
            }
        } else if (folder.has("chat_template.json")) {
            Config json = folder.json("chat_template.json");
            return named(json, json.value("chat_template"));
        }
        return templates;
    }

    private static Map<String, String> named(Config from, @Nullable Object value) {
        Map<String, String> templates = new LinkedHashMap<>();
        if (value instanceof String template) {
            templates.put("default", template);
        } else if (value instanceof List<?> several) {
            for (Object item : several) {
                Config one = Config.of(from.file(), "chat_template", item);
                templates.put(one.text("name", "default"), one.text("template", ""));
            }
        } else if (value != null) {
            throw from.wrong("chat_template", "is neither a text nor an array");
        }
        return templates;
    }
}
