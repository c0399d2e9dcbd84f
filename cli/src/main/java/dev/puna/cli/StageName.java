// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A stage as {@code --samplers} names it: llama.cpp's names and the other ways in which it lets them be written. */
enum StageName {
    PENALTIES,
    DRY,
    TOP_N_SIGMA,
    TOP_K,
    TYP_P("typ", "typical", "typicalp"),
    TOP_P("nucleus"),
    MIN_P,
    XTC,
    TEMPERATURE("temp"),
    MIROSTAT,
    ADAPTIVE_P;

    /** What the API's complaints call a setting, and the option that set it. */
    private static final List<Map.Entry<String, String>> SETTINGS = List.of(
            Map.entry("temperature range", "--dynatemp-range"),
            Map.entry("temperature exponent", "--dynatemp-exp"),
            Map.entry("temperature", "--temperature"),
            Map.entry("topK", "--top-k"),
            Map.entry("topP", "--top-p"),
            Map.entry("minP", "--min-p"),
            Map.entry("window", "--repeat-last-n"),
            Map.entry("repeat", "--repeat-penalty"),
            Map.entry("frequency", "--frequency-penalty"),
            Map.entry("presence", "--presence-penalty"),
            Map.entry("typical", "--typical-p"),
            Map.entry("topNSigma", "--top-n-sigma"),
            Map.entry("xtc probability", "--xtc-probability"),
            Map.entry("xtc threshold", "--xtc-threshold"),
            Map.entry("mirostat tau", "--mirostat-ent"),
            Map.entry("mirostat eta", "--mirostat-lr"),
            Map.entry("dry multiplier", "--dry-multiplier"),
            Map.entry("dry base", "--dry-base"),
            Map.entry("dry allowedLength", "--dry-allowed-length"),
            Map.entry("dry window", "--dry-penalty-last-n"),
            Map.entry("adaptiveP target", "--adaptive-target"),
            Map.entry("adaptiveP decay", "--adaptive-decay"),
            Map.entry("logitBias", "--logit-bias"),
            Map.entry("a breaker", "a --dry-sequence-breaker"));

    private final List<String> aliases;

    StageName(String... aliases) {
        this.aliases = List.of(aliases);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    private boolean isCalled(String plain) {
        return plain.equals(toString().replace("_", "")) || aliases.contains(plain);
    }

    /**
     * Reads an order.
     *
     * @throws IllegalArgumentException with a sentence, if a name is unknown or there twice
     */
    static List<StageName> order(String text) {
        EnumSet<StageName> seen = EnumSet.noneOf(StageName.class);
        List<StageName> order = new ArrayList<>();
        for (String part : text.split("[;,]", -1)) {
            String plain =
                    part.strip().toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
            StageName name = Arrays.stream(values())
                    .filter(one -> one.isCalled(plain))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "--samplers has \"" + part.strip() + "\"; there are " + all()));
            if (!seen.add(name)) {
                throw new IllegalArgumentException("--samplers has " + name + " twice");
            }
            order.add(name);
        }
        return order;
    }

    private static String all() {
        return Arrays.stream(values()).map(StageName::toString).collect(Collectors.joining(", "));
    }

    /** A complaint of the API's about a setting, with the option's name in place of the API's. */
    static String inOptions(String complaint) {
        for (Map.Entry<String, String> setting : SETTINGS) {
            if (complaint.startsWith(setting.getKey() + " ")) {
                return setting.getValue() + complaint.substring(setting.getKey().length());
            }
        }
        return complaint;
    }
}
