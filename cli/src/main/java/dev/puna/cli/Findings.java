// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What {@code puna doctor} found: facts by subject, problems and warnings. Nothing in it tells who the user is: the
 * home folder is {@code ~}, and where a path beyond it has the user's name, {@code USER} stands for it.
 */
final class Findings {
    private final Map<String, Map<String, Object>> facts = new LinkedHashMap<>();
    private final Map<String, List<String[]>> shown = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private final String home;
    private final String user;

    Findings(String home, String user) {
        this.home = home;
        this.user = user;
    }

    /** A fact whose text for people is its value. */
    void fact(String subject, String name, Object value) {
        fact(subject, name, value, value instanceof Boolean yes ? (yes ? "yes" : "no") : String.valueOf(value));
    }

    /** A fact: its value for programs, its text for people. */
    void fact(String subject, String name, @Nullable Object value, String text) {
        facts.computeIfAbsent(subject, s -> new LinkedHashMap<>())
                .put(name, value instanceof String secret ? discreet(secret) : value);
        shown.computeIfAbsent(subject, s -> new ArrayList<>())
                .add(new String[] {name.replace('_', ' '), discreet(text)});
    }

    /** A subject of which there is nothing: a word for people, no fact for programs. */
    void nothing(String subject, String name, String text) {
        facts.computeIfAbsent(subject, s -> new LinkedHashMap<>());
        shown.computeIfAbsent(subject, s -> new ArrayList<>()).add(new String[] {name, text});
    }

    /** Something is wrong: Puna does not work here, or wrongly. */
    void problem(String sentence) {
        problems.add(discreet(sentence));
    }

    /** Something costs speed or comfort. */
    void warning(String sentence) {
        warnings.add(discreet(sentence));
    }

    boolean healthy() {
        return problems.isEmpty();
    }

    /** The text without the user's name. */
    String discreet(String text) {
        String masked = text;
        if (home.length() > 1) {
            masked = masked.replaceAll(Pattern.quote(home) + "(?![^/\\\\:;,\\s'\")])", "~");
        }
        if (!user.isEmpty()) {
            masked = masked.replaceAll(
                    "(?<=[/\\\\])" + Pattern.quote(user) + "(?![^/\\\\:;,\\s'\")])", Matcher.quoteReplacement("USER"));
        }
        return masked;
    }

    void print(PrintStream out) {
        Table table = new Table("", "", "");
        shown.forEach((subject, lines) -> {
            String first = subject.replace('_', ' ').toUpperCase(Locale.ROOT);
            for (String[] line : lines) {
                table.row(first, line[0], line[1]);
                first = "";
            }
        });
        table.print(out);
        out.println();
        problems.forEach(sentence -> out.println("PROBLEM: " + sentence));
        warnings.forEach(sentence -> out.println("warning: " + sentence));
        out.println(verdict());
    }

    String verdict() {
        String also = warnings.isEmpty() ? "" : ", " + count(warnings.size(), "warning");
        return healthy() ? "All is well" + also + "." : count(problems.size(), "problem") + also + ".";
    }

    private static String count(int n, String what) {
        return n + " " + what + (n == 1 ? "" : "s");
    }

    Map<String, Object> asJson() {
        Map<String, Object> json =
                Json.object("healthy", healthy(), "verdict", verdict(), "problems", problems, "warnings", warnings);
        json.putAll(facts);
        return json;
    }
}
