// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Model;
import dev.puna.Reply;
import dev.puna.Timings;
import dev.puna.TokenLogprob;
import dev.puna.Usage;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/** A reply as JSON. */
final class Replies {
    private Replies() {}

    static Map<String, Object> asJson(Model model, Reply reply) {
        Usage usage = reply.usage();
        Timings timings = reply.timings();
        Map<String, Object> all = Json.object(
                "text", reply.text(),
                "tokens", reply.tokens(),
                "stop_reason", reply.stopReason().name().toLowerCase(Locale.ROOT),
                "seed", reply.seed(),
                "usage",
                        Json.object(
                                "prompt_tokens", usage.promptTokens(),
                                "cached_tokens", usage.cachedTokens(),
                                "generated_tokens", usage.generatedTokens(),
                                "dropped_tokens", usage.droppedTokens(),
                                "drafted_tokens", usage.draftedTokens(),
                                "accepted_tokens", usage.acceptedTokens()),
                "timings",
                        Json.object(
                                "queued_ms", millis(timings.queued()),
                                "prompt_ms", millis(timings.prompt()),
                                "generation_ms", millis(timings.generation()),
                                "prompt_tokens_per_second", timings.promptTokensPerSecond(),
                                "tokens_per_second", timings.tokensPerSecond()));
        if (!reply.logprobs().isEmpty()) {
            all.put(
                    "logprobs",
                    reply.logprobs().stream().map(one -> asJson(model, one)).toList());
        }
        return all;
    }

    private static Map<String, Object> asJson(Model model, TokenLogprob one) {
        return Json.object(
                "id", one.id(),
                "token", model.tokenizer().decode(new int[] {one.id()}, true),
                "logprob", one.logprob(),
                "top",
                        one.top().stream()
                                .map(other -> Json.object(
                                        "id", other.id(),
                                        "token", model.tokenizer().decode(new int[] {other.id()}, true),
                                        "logprob", other.logprob()))
                                .toList());
    }

    private static double millis(Duration time) {
        return time.toNanos() / 1e6;
    }
}
