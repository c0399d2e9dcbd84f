// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Sampler;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The stages that are off unless asked for, and the order of all: docs/sampling.md. */
final class StageOptions {
    private static final Pattern BIAS = Pattern.compile("(\\d{1,9})(?:=|(?=[+-]))(.+)");

    @Option(
            names = {"--typical-p", "--typical"},
            paramLabel = "P",
            defaultValue = "1",
            description = "Choose among the most typical of together P; 1: all (default: ${DEFAULT-VALUE}).")
    private float typical;

    @Option(
            names = {"--top-n-sigma", "--top-nsigma"},
            paramLabel = "N",
            defaultValue = "0",
            description = "Within N standard deviations of the best; 0 or -1: all (default: ${DEFAULT-VALUE}).")
    private float topNSigma;

    @Option(
            names = "--xtc-probability",
            paramLabel = "P",
            defaultValue = "0",
            description = "How often the most probable tokens are excluded (default: ${DEFAULT-VALUE}).")
    private float xtcProbability;

    @Option(
            names = "--xtc-threshold",
            paramLabel = "P",
            defaultValue = "0.1",
            description = "Those of at least this probability, all but the last (default: ${DEFAULT-VALUE}).")
    private float xtcThreshold;

    @Option(
            names = "--dynatemp-range",
            paramLabel = "R",
            defaultValue = "0",
            description = "The temperature goes from T - R to T + R by the entropy (default: ${DEFAULT-VALUE}).")
    private float temperatureRange;

    @Option(
            names = "--dynatemp-exp",
            paramLabel = "E",
            defaultValue = "1",
            description = "By the entropy to the power of E (default: ${DEFAULT-VALUE}).")
    private float temperatureExponent;

    @Option(
            names = "--mirostat",
            paramLabel = "VERSION",
            defaultValue = "0",
            description = "1 or 2: keep the surprise constant, in place of top-k and its like (default: 0, off).")
    private int mirostat;

    @Option(
            names = "--mirostat-ent",
            paramLabel = "TAU",
            defaultValue = "5",
            description = "The surprise aimed at, in bits (default: ${DEFAULT-VALUE}).")
    private float mirostatTau;

    @Option(
            names = "--mirostat-lr",
            paramLabel = "ETA",
            defaultValue = "0.1",
            description = "How fast it is followed (default: ${DEFAULT-VALUE}).")
    private float mirostatEta;

    @Option(
            names = "--dry-multiplier",
            paramLabel = "X",
            defaultValue = "0",
            description = "Above 0: what goes on with a repetition costs X * BASE^(its length - N)"
                    + " (default: ${DEFAULT-VALUE}).")
    private float dryMultiplier;

    @Option(
            names = "--dry-base",
            paramLabel = "BASE",
            defaultValue = "1.75",
            description = "How the cost grows (default: ${DEFAULT-VALUE}).")
    private float dryBase;

    @Option(
            names = "--dry-allowed-length",
            paramLabel = "N",
            defaultValue = "2",
            description = "Shorter repetitions cost nothing (default: ${DEFAULT-VALUE}).")
    private int dryAllowed;

    @Option(
            names = "--dry-penalty-last-n",
            paramLabel = "N",
            defaultValue = "64",
            description = "In so many last tokens; -1: the whole context (default: ${DEFAULT-VALUE}).")
    private int dryWindow;

    @Option(
            names = "--dry-sequence-breaker",
            paramLabel = "TEXT",
            description = "No repetition reaches over it; \\n and the like are read, \"none\": there is none"
                    + " (may be repeated; default: \\n : \" *).")
    private @Nullable List<String> dryBreakers;

    @Option(
            names = "--adaptive-target",
            paramLabel = "P",
            defaultValue = "-1",
            description = "Aim at tokens of probability P; -1: off (default: ${DEFAULT-VALUE}).")
    private float adaptiveTarget;

    @Option(
            names = "--adaptive-decay",
            paramLabel = "D",
            defaultValue = "0.9",
            description = "How long what was chosen moves the aim, 0 to 0.99 (default: ${DEFAULT-VALUE}).")
    private float adaptiveDecay;

    @Option(
            names = "--logit-bias",
            paramLabel = "ID=V",
            description = "Added to a token's logit, 15043=-1.5 or 15043+1; -inf bans it (may be repeated).")
    private @Nullable List<String> biases;

    @Option(
            names = "--samplers",
            paramLabel = "ORDER",
            description = "The stages and their order, separated by ; or , (default:"
                    + " penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature;adaptive_p,"
                    + " with --mirostat penalties;dry;temperature;mirostat).")
    private @Nullable String samplers;

    /** The stages to make, in their order; {@code penalizes} if the penalties are to do something. */
    List<StageName> order(boolean penalizes) {
        if (mirostat < 0 || mirostat > 2) {
            throw new IllegalArgumentException("--mirostat is " + mirostat + "; it may be 0, 1 or 2");
        }
        Map<StageName, String> wanted = wanted();
        if (samplers != null) {
            return named(samplers, wanted);
        }
        List<StageName> order = new ArrayList<>();
        for (StageName name : StageName.values()) {
            boolean in = switch (name) {
                case PENALTIES -> penalizes;
                case TEMPERATURE -> true;
                case TOP_K, TOP_P, MIN_P -> mirostat == 0;
                default -> wanted.containsKey(name);
            };
            if (in) {
                order.add(name);
            }
        }
        return order;
    }

    /** What is off by default and was switched on, with the option that did it. */
    private Map<StageName, String> wanted() {
        Map<StageName, String> wanted = new EnumMap<>(StageName.class);
        want(wanted, StageName.DRY, dryMultiplier != 0, "--dry-multiplier");
        want(wanted, StageName.TOP_N_SIGMA, topNSigma != 0 && topNSigma != -1, "--top-n-sigma");
        want(wanted, StageName.TYP_P, typical != 1, "--typical-p");
        want(wanted, StageName.XTC, xtcProbability != 0, "--xtc-probability");
        want(wanted, StageName.MIROSTAT, mirostat != 0, "--mirostat");
        want(wanted, StageName.ADAPTIVE_P, adaptiveTarget != -1, "--adaptive-target");
        return wanted;
    }

    private static void want(Map<StageName, String> wanted, StageName name, boolean on, String option) {
        if (on) {
            wanted.put(name, option);
        }
    }

    /** An option without effect is a mistake that nobody would find. */
    private static List<StageName> named(String samplers, Map<StageName, String> wanted) {
        List<StageName> order = StageName.order(samplers);
        wanted.forEach((name, option) -> {
            if (!order.contains(name)) {
                throw new IllegalArgumentException(option + " is given, but --samplers has no " + name);
            }
        });
        if (order.contains(StageName.MIROSTAT) && !wanted.containsKey(StageName.MIROSTAT)) {
            throw new IllegalArgumentException("--samplers has mirostat; it needs --mirostat 1 or 2");
        }
        if (order.contains(StageName.ADAPTIVE_P) && !wanted.containsKey(StageName.ADAPTIVE_P)) {
            throw new IllegalArgumentException("--samplers has adaptive_p; it needs --adaptive-target");
        }
        return order;
    }

    /** A stage of those that are set here. */
    Sampler.Stage stage(StageName name, float temperature) {
        return switch (name) {
            case DRY -> Sampler.dry(dryMultiplier, dryBase, dryAllowed, dryWindow);
            case TOP_N_SIGMA -> Sampler.topNSigma(topNSigma == -1 ? 0 : topNSigma);
            case TYP_P -> Sampler.typical(typical);
            case XTC -> Sampler.xtc(xtcProbability, xtcThreshold);
            case TEMPERATURE ->
                temperatureRange == 0
                        ? Sampler.temperature(temperature)
                        : Sampler.dynamicTemperature(temperature, temperatureRange, temperatureExponent);
            case MIROSTAT ->
                mirostat == 1
                        ? Sampler.mirostat(mirostatTau, mirostatEta)
                        : Sampler.mirostat2(mirostatTau, mirostatEta);
            case ADAPTIVE_P -> Sampler.adaptiveP(adaptiveTarget == -1 ? 0 : adaptiveTarget, adaptiveDecay);
            case PENALTIES, TOP_K, TOP_P, MIN_P -> throw new IllegalStateException(name + " is not set here");
        };
    }

    /** What a chain has beside its stages. */
    Sampler complete(Sampler sampler) {
        if (dryBreakers != null) {
            sampler = sampler.dryBreakers(dryBreakers.stream()
                    .filter(text -> !text.equals("none"))
                    .map(StageOptions::unescaped)
                    .toArray(String[]::new));
        }
        return biases == null ? sampler : sampler.logitBias(biases(biases));
    }

    private static String unescaped(String text) {
        try {
            return text.translateEscapes();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "--dry-sequence-breaker is " + text + "; a backslash before it is written \\\\", e);
        }
    }

    private static Map<Integer, Float> biases(List<String> texts) {
        Map<Integer, Float> values = new HashMap<>();
        for (String text : texts) {
            Matcher parts = BIAS.matcher(text);
            if (!parts.matches()) {
                throw new IllegalArgumentException("--logit-bias is " + text + "; ID=V is needed, as 15043=-1.5");
            }
            if (values.put(Integer.valueOf(parts.group(1)), number(text, parts.group(2))) != null) {
                throw new IllegalArgumentException("--logit-bias has token " + parts.group(1) + " twice");
            }
        }
        return values;
    }

    private static float number(String text, String value) {
        if (value.equalsIgnoreCase("-inf")) {
            return Float.NEGATIVE_INFINITY;
        }
        try {
            return Float.parseFloat(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "--logit-bias is " + text + "; behind the id a number or -inf is needed", e);
        }
    }
}
