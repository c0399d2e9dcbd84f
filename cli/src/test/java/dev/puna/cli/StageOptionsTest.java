// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The options of {@code puna run} for the stages of sampling. */
class StageOptionsTest {
    private static Cli.Result run(String options) {
        List<String> command = new ArrayList<>(
                List.of("run", "-m", Cli.CHAT, "-n", "30", "--seed", "5", "--temperature", "4", "--json"));
        command.addAll(List.of(options.split(" ")));
        command.add("Tell me a story about a ferry. ferry. ferry. ferry.");
        return Cli.run(command.toArray(String[]::new));
    }

    private static JsonNode tokens(String options) {
        return run(options).succeeded().json().get("tokens");
    }

    private static final String OFF = "--top-k 0 --top-p 1 --min-p 0";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--typical-p 0.5",
                "--top-n-sigma 1",
                "--xtc-probability 1 --xtc-threshold 0.01",
                "--dynatemp-range 3.5",
                "--dynatemp-range 3.5 --dynatemp-exp 3",
                "--mirostat 1",
                "--mirostat 2 --mirostat-ent 2 --mirostat-lr 0.3",
                "--dry-multiplier 20 --dry-allowed-length 1",
                "--dry-multiplier 20 --dry-allowed-length 1 --dry-penalty-last-n -1 --dry-sequence-breaker none",
                "--adaptive-target 0.2",
                "--logit-bias 40=-inf --logit-bias 41+100 --logit-bias 42=-2.5",
                "--repeat-penalty 3 --repeat-last-n -1"
            })
    void everyStageChangesTheAnswer(String options) {
        JsonNode tokens = tokens(OFF + " " + options);
        assertThat(tokens).isNotEqualTo(tokens(OFF)).isEqualTo(tokens(OFF + " " + options));
    }

    @Test
    void valuesReachTheirStage() {
        assertThat(tokens("--mirostat 2 --mirostat-ent 0")).isEqualTo(tokens("--top-k 1"));
        assertThat(tokens("--typical-p 1 --top-n-sigma -1 --adaptive-target -1 --dry-multiplier 0"))
                .isEqualTo(tokens("--xtc-probability 0"));
        assertThat(tokens("--logit-bias 41+1000").valueStream().mapToInt(JsonNode::asInt))
                .containsOnly(41);
        String dry = OFF + " --dry-multiplier 50 --dry-allowed-length 1 --dry-base 2";
        assertThat(tokens(dry + " --dry-sequence-breaker . --dry-sequence-breaker \\s"))
                .isNotEqualTo(tokens(dry + " --dry-sequence-breaker none"));
    }

    @Test
    void theOrderIsTheCallers() {
        JsonNode cold = tokens("--top-k 0 --top-p 0.7 --min-p 0 --samplers top_p;temperature");
        assertThat(tokens("--top-k 0 --top-p 0.7 --min-p 0.9 --samplers temperature;top_p"))
                .isNotEqualTo(cold);
        assertThat(tokens("--top-p 0.7 --samplers Nucleus,temp")).isEqualTo(cold);
        assertThat(tokens("--top-p 0.7 --samplers topp,temperature,min-p --min-p 0"))
                .isEqualTo(cold);
        String all = "--mirostat 1 --adaptive-target 0.5 --samplers ";
        assertThat(tokens(
                        all + "dry;mirostat;penalties;typ_p;top_n_sigma;adaptive_p;xtc;temperature;top_k;top_p;min_p"))
                .isNotEmpty()
                .isEqualTo(tokens(
                        all + "DRY,Mirostat,penalties,typical,top-n-sigma,adaptivep,xtc,temp,topk,nucleus,minp"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--typical-p 1.5 | --typical-p is 1.5",
                "--top-n-sigma NaN | --top-n-sigma is NaN",
                "--xtc-probability 2 | --xtc-probability is 2.0",
                "--xtc-threshold -1 | --xtc-threshold is -1.0",
                "--dynatemp-range -1 | --dynatemp-range is -1.0",
                "--dynatemp-range 1 --dynatemp-exp -1 | --dynatemp-exp is -1.0",
                "--mirostat 3 | --mirostat is 3; it may be 0, 1 or 2",
                "--mirostat 1 --mirostat-ent -1 | --mirostat-ent is -1.0",
                "--mirostat 2 --mirostat-lr NaN | --mirostat-lr is NaN",
                "--dry-multiplier -1 | --dry-multiplier is -1.0",
                "--dry-base 0.5 | --dry-base is 0.5",
                "--dry-allowed-length 0 | --dry-allowed-length is 0",
                "--dry-penalty-last-n -2 | --dry-penalty-last-n is -2",
                "--dry-sequence-breaker \\q | --dry-sequence-breaker is \\q",
                "--adaptive-target 1.5 | --adaptive-target is 1.5",
                "--adaptive-decay 1 | --adaptive-decay is 1.0",
                "--repeat-last-n -2 | --repeat-last-n is -2",
                "--logit-bias 5 | --logit-bias is 5; ID=V is needed",
                "--logit-bias x=1 | --logit-bias is x=1",
                "--logit-bias 5=much | --logit-bias is 5=much; behind the id a number",
                "--logit-bias 5=NaN | --logit-bias of token 5 is NaN",
                "--logit-bias 5=1 --logit-bias 5=2 | --logit-bias has token 5 twice",
                "--samplers top_k;best | --samplers has \"best\"; there are penalties, dry",
                "--samplers top_k;;temp | --samplers has \"\"",
                "--samplers top_k;topk | --samplers has top_k twice",
                "--samplers temp;mirostat | --samplers has mirostat; it needs --mirostat",
                "--samplers adaptive_p | --samplers has adaptive_p; it needs --adaptive-target",
                "--samplers temp --typical-p 0.5 | --typical-p is given, but --samplers has no typ_p"
            })
    void mistakesNameTheirOption(String options, String sentence) {
        run(options).wrongUsage(sentence);
    }

    @Test
    void aTokenOutsideTheVocabularyIsNoCrash() {
        run("--logit-bias 999999=1").failed("999999");
    }
}
