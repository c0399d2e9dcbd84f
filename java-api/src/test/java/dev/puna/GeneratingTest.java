// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.puna.testing.Golden;
import dev.puna.testing.Models;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a generation gives, on a model whose answers are known. */
@Timeout(60)
class GeneratingTest {
    private final Model model = Models.tiny();

    private Prompt ask(String question) {
        return model.prompt(Models.conversation(question).ids("ids")).sampler(Sampler.greedy());
    }

    @Test
    void everyKnownConversationIsContinuedAsRecorded() {
        Models.CONVERSATIONS.forEach((name, golden) -> {
            Reply reply =
                    model.prompt(golden.ids("ids")).sampler(Sampler.greedy()).reply();
            assertThat(reply.tokens()).as(name).isEqualTo(golden.ids("continuation"));
            assertThat(reply.text()).as(name).isEqualTo(golden.text("answer"));
            assertThat(reply.stopReason()).isEqualTo(StopReason.END);
            assertThat(reply.usage().promptTokens()).isEqualTo(golden.ids("ids").length);
            assertThat(reply.usage().generatedTokens()).isEqualTo(golden.ids("continuation").length);
        });
    }

    @Test
    void piecesJoinedAreTheText() {
        for (String question : List.of(Models.STORY, "Smile!", "안녕하세요")) {
            StringBuilder joined = new StringBuilder();
            int tokens = 0;
            try (TextStream stream = ask(question).stream()) {
                for (Piece piece : stream) {
                    assertThat(piece.text()).isNotEmpty().doesNotContain("\uFFFD");
                    joined.append(piece);
                    tokens += piece.tokens();
                }
                Reply reply = stream.reply();
                assertThat(joined).hasToString(reply.text()).hasToString(Models.answer(question));
                assertThat(tokens).isBetween(1, reply.tokens().length);
            }
        }
    }

    @Test
    void piecesComeWhileItGenerates() {
        try (TextStream stream = Models.smollm2().prompt("Once upon a time").ignoreEnd().stream()) {
            var pieces = stream.iterator();
            for (int i = 0; i < 3; i++) {
                assertThat(pieces.hasNext()).isTrue();
                pieces.next();
            }
            assertThat(stream.isDone()).isFalse();
        }
    }

    @Test
    void aStreamIsReadOnce() {
        try (TextStream stream = ask("Say yes.").stream()) {
            stream.iterator();
            assertThatIllegalStateException().isThrownBy(stream::iterator);
            assertThat(stream.reply().text()).isEqualTo("Yes.");
            assertThat(stream.reply()).isSameAs(stream.reply());
        }
    }

    @Test
    void stopStringsReachAcrossTokens() {
        String answer = Models.answer(Models.STORY);
        for (String stop :
                List.of("longer than anyone", "y between the is", ".", "ferry between the island and the mainland")) {
            StringBuilder streamed = new StringBuilder();
            try (TextStream stream = ask(Models.STORY).stop("not in it", stop).stream()) {
                stream.forEach(streamed::append);
                Reply reply = stream.reply();
                assertThat(reply.stopReason()).isEqualTo(StopReason.STOP);
                assertThat(reply.text()).isEqualTo(answer.substring(0, answer.indexOf(stop)));
                assertThat(streamed).hasToString(reply.text());
            }
        }
    }

    @Test
    void aBeginningOfAStopStringIsHandedOutInTheEnd() {
        Reply reply = ask("Say yes.").stop("Yes. And no.", "yes").reply();
        assertThat(reply.text()).isEqualTo("Yes.");
        assertThat(reply.stopReason()).isEqualTo(StopReason.END);
    }

    @Test
    void maxTokensBounds() {
        Reply reply = ask(Models.STORY).maxTokens(7).reply();
        int[] whole = Models.conversation(Models.STORY).ids("continuation");
        assertThat(reply.tokens()).isEqualTo(Arrays.copyOf(whole, 7));
        assertThat(reply.stopReason()).isEqualTo(StopReason.LENGTH);
    }

    @Test
    void theContextBounds() {
        try (Context small =
                model.newContext(options -> options.contextLength(64).maxSequences(1))) {
            int[] ids = Models.conversation(Models.STORY).ids("ids");
            Reply reply = small.prompt(ids).sampler(Sampler.greedy()).reply();
            assertThat(reply.stopReason()).isEqualTo(StopReason.CONTEXT);
            assertThat(ids.length + reply.tokens().length).isEqualTo(64);
        }
    }

    @Test
    void equalSeedsGiveEqualTokens() {
        Sampler warm = Sampler.of(Sampler.temperature(20), Sampler.topP(.98f));
        List<int[]> all = new ArrayList<>();
        for (long seed = 1; seed <= 3; seed++) {
            Reply first =
                    ask(Models.STORY).sampler(warm.seed(seed)).maxTokens(40).reply();
            Reply second =
                    ask(Models.STORY).sampler(warm.seed(seed)).maxTokens(40).reply();
            assertThat(second.tokens()).isEqualTo(first.tokens());
            assertThat(first.seed()).isEqualTo(seed);
            all.add(first.tokens());
        }
        assertThat(all.get(0)).isNotEqualTo(all.get(1));
    }

    @Test
    void aSeedThatWasDrawnCanBeReplayed() {
        Sampler warm = Sampler.of(Sampler.topK(100), Sampler.temperature(20));
        Reply first = ask(Models.STORY).sampler(warm).maxTokens(40).reply();
        Reply other = ask(Models.STORY).sampler(warm).maxTokens(40).reply();
        assertThat(other.seed()).isNotEqualTo(first.seed());
        assertThat(other.tokens()).isNotEqualTo(first.tokens());
        Reply again =
                ask(Models.STORY).sampler(warm.seed(first.seed())).maxTokens(40).reply();
        assertThat(again.tokens()).isEqualTo(first.tokens());
    }

    @Test
    void penaltiesLowerWhatWasThere() {
        int[] plain = ask("Count to twenty.").reply().tokens();
        int[] penalized = ask("Count to twenty.")
                .sampler(Sampler.greedy().penalties(p -> p.window(-1).presence(100)))
                .maxTokens(20)
                .reply()
                .tokens();
        assertThat(Arrays.stream(penalized).distinct().count()).isEqualTo(penalized.length);
        assertThat(Arrays.stream(plain).distinct().count()).isLessThan(plain.length);
    }

    @Test
    void logProbabilitiesAreTheModelsOwn() {
        Golden golden = Models.conversation("Hello");
        Reply reply = ask("Hello")
                .sampler(Sampler.of(Sampler.temperature(0)))
                .logprobs(5)
                .reply();
        assertThat(reply.logprobs()).hasSize(reply.tokens().length);
        int[] prompt = golden.ids("ids");
        for (int i = 0; i < reply.tokens().length; i++) {
            TokenLogprob one = reply.logprobs().get(i);
            assertThat(one.id()).isEqualTo(reply.tokens()[i]);
            assertThat(one.top()).hasSize(5);
            assertThat(one.top().getFirst()).isEqualTo(new TokenLogprob.Candidate(one.id(), one.logprob()));
            int[] before = IntStream.concat(
                            Arrays.stream(prompt), Arrays.stream(reply.tokens()).limit(i))
                    .toArray();
            assertThat((double) one.logprob())
                    .isCloseTo(logprob(before, one.id()), org.assertj.core.data.Offset.offset(1e-3));
        }
        assertThat(ask("Hello").reply().logprobs()).isEmpty();
    }

    /** From the raw logits, by its definition. */
    private double logprob(int[] ids, int next) {
        try (Context context = model.newContext(options -> options.maxSequences(1))) {
            float[] row = context.logits(ids, ids.length - 1);
            assertThat(row).hasSize(model.info().vocabulary());
            double sum = 0;
            for (float logit : row) {
                sum += Math.exp(logit - row[next]);
            }
            return -Math.log(sum);
        }
    }

    @Test
    void ignoringTheEndGoesOn() {
        Reply reply = ask("Say yes.").ignoreEnd().maxTokens(12).reply();
        assertThat(reply.tokens())
                .hasSize(12)
                .startsWith(Models.conversation("Say yes.").ids("continuation"));
        assertThat(reply.stopReason()).isEqualTo(StopReason.LENGTH);
    }

    @Test
    void timingsAndRatesAreThere() {
        Timings timings = ask(Models.STORY).reply().timings();
        assertThat(timings.prompt()).isPositive();
        assertThat(timings.generation()).isPositive();
        assertThat(timings.promptTokensPerSecond()).isPositive();
        assertThat(timings.tokensPerSecond()).isPositive();
    }

    @Test
    void aRequestServesSeveralTerminals() {
        Prompt prompt = ask("Hello");
        assertThat(prompt.text()).isEqualTo(prompt.text()).isEqualTo(Models.answer("Hello"));
    }

    @Test
    void argumentsAreChecked() {
        Prompt prompt = ask("Hello");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> prompt.maxTokens(0))
                .withMessageContaining("maxTokens is 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> prompt.logprobs(65))
                .withMessageContaining("0 to 64");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> prompt.timeout(java.time.Duration.ZERO))
                .withMessageContaining("timeout is PT0S");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> prompt.stop(
                        IntStream.range(0, 65).mapToObj(i -> "s" + i).toArray(String[]::new)))
                .withMessageContaining("65 stop strings");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.prompt(new int[] {1, 1024}).text())
                .withMessageContaining("1024");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.prompt(new int[] {-1}).text())
                .withMessageContaining("-1");
    }
}
