// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.Locale;

/**
 * What tells a text-to-text model its task: the prefix that its file holds ({@code ARCHITECTURE.task.NAME.prefix},
 * from the task_specific_params of its configuration), or the one that T5 was trained with.
 */
final class Tasks {
    private Tasks() {}

    static String translation(Model model, Locale from, Locale to) {
        String known = model.abilities()
                .entry("task.translation_" + from.toLanguageTag() + "_to_" + to.toLanguageTag() + ".prefix");
        return known != null
                ? known
                : "translate " + from.getDisplayLanguage(Locale.ENGLISH) + " to "
                        + to.getDisplayLanguage(Locale.ENGLISH) + ": ";
    }

    static String summary(Model model) {
        String known = model.abilities().entry("task.summarization.prefix");
        return known != null ? known : "summarize: ";
    }
}
