// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.testing.Eventually;
import dev.puna.testing.Models;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Speculation through the API: the same answers, and figures of the guesses. (Exactness at length is tested in C.) */
@Timeout(120)
class SpeculationTest {
    private static final String LOOP = "one two three four, one two three four, one two three four, one two three";

    private static Context context(Speculation speculation) {
        return Models.tiny()
                .newContext(o -> o.contextLength(512).maxSequences(8).speculation(speculation));
    }

    private static List<Speculation> all() {
        return List.of(
                Speculation.lookup(),
                Speculation.lookup().tokens(3),
                Speculation.draft(Models.tiny()),
                Speculation.draft(Models.tiny()).tokens(5));
    }

    private static Prompt asked(Context context, float temperature) {
        return context.prompt(LOOP)
                .sampler(Sampler.of(Sampler.temperature(temperature)).seed(3))
                .logprobs(5)
                .ignoreEnd()
                .maxTokens(100);
    }

    private static String bits(Reply reply) {
        StringBuilder bits = new StringBuilder();
        for (TokenLogprob token : reply.logprobs()) {
            bits.append(Float.floatToRawIntBits(token.logprob()));
            token.top().forEach(t -> bits.append(' ').append(t.id()).append(' ').append(t.logprob()));
        }
        return bits.toString();
    }

    @Test
    void answersAreTheSameAndGuessesAreCounted() {
        for (float temperature : new float[] {0, .3f, 2}) {
            Reply expected;
            try (Context plain = context(Speculation.off())) {
                expected = asked(plain, temperature).reply();
                assertThat(expected.usage().draftedTokens()).isZero();
                assertThat(plain.statistics().draftedTokens()).isZero();
            }
            for (Speculation speculation : all()) {
                try (Context context = context(speculation)) {
                    Reply reply = asked(context, temperature).reply();
                    assertThat(reply.tokens()).as("%s", speculation).isEqualTo(expected.tokens());
                    assertThat(reply.text()).isEqualTo(expected.text());
                    assertThat(bits(reply)).isEqualTo(bits(expected));
                    Usage usage = reply.usage();
                    if (temperature == 0) {
                        assertThat(usage.acceptedTokens()).as("%s", speculation).isBetween(20, usage.draftedTokens());
                        assertThat(context.statistics().toString()).contains(" guesses right");
                    }
                    Statistics all = context.statistics();
                    assertThat(all.draftedTokens()).isEqualTo(usage.draftedTokens());
                    assertThat(all.acceptedTokens()).isEqualTo(usage.acceptedTokens());
                    assertThat(all.generatedTokens()).isEqualTo(100);
                }
            }
        }
    }

    @Test
    void aRequestMayGoWithout() {
        try (Context context = context(Speculation.draft(Models.tiny()))) {
            Reply with = asked(context, 0).reply();
            Reply without = asked(context, 0).withoutSpeculation().reply();
            assertThat(without.tokens()).isEqualTo(with.tokens());
            assertThat(with.usage().acceptedTokens()).isPositive();
            assertThat(without.usage().draftedTokens()).isZero();
        }
    }

    @Test
    void aLogitsHookSeesEveryRow() {
        try (Context context = context(Speculation.lookup())) {
            List<Integer> lengths = new ArrayList<>();
            Reply reply = asked(context, 0)
                    .maxTokens(20)
                    .logits(l -> lengths.add(l.tokens().length))
                    .reply();
            assertThat(lengths).hasSize(20);
            assertThat(reply.usage().draftedTokens()).isZero();
        }
    }

    @Test
    void formsAndStopsHoldWithin() {
        for (Speculation speculation : all()) {
            try (Context context = context(speculation);
                    Context plain = context(Speculation.off())) {
                String pattern = "(abc, ){12}(abd, )+end";
                assertThat(asked(context, 1).regex(pattern).text())
                        .isEqualTo(asked(plain, 1).regex(pattern).text());
                String whole = asked(plain, 0).text();
                String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 3);
                Reply stopped = asked(context, 0).stop(stop).reply();
                assertThat(stopped.stopReason()).isEqualTo(StopReason.STOP);
                assertThat(stopped.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
            }
        }
    }

    @Test
    void manyCallersGetWhatTheyGetAlone() {
        for (Speculation speculation : all()) {
            try (Context context = context(speculation);
                    Context plain = context(Speculation.off())) {
                List<CompletableFuture<Reply>> together = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    together.add(caller(context, i).async());
                }
                for (int i = 0; i < 20; i++) {
                    assertThat(together.get(i).join().tokens())
                            .as("%s, %d", speculation, i)
                            .isEqualTo(caller(plain, i).reply().tokens());
                }
            }
        }
    }

    private static Prompt caller(Context context, int number) {
        return context.prompt(LOOP + " " + number % 7)
                .sampler(Sampler.of(Sampler.temperature(number % 3 * .2f)).seed(number))
                .ignoreEnd()
                .maxTokens(30 + number);
    }

    @Test
    void observersHearOfGuesses() throws InterruptedException {
        ConcurrentLinkedQueue<Usage> ends = new ConcurrentLinkedQueue<>();
        try (Context context = context(Speculation.lookup());
                Observer.Registration watch = context.observe(new Observer() {
                    @Override
                    public void ended(End end) {
                        ends.add(end.usage());
                    }
                })) {
            Reply reply = asked(context, 0).reply();
            Eventually.holds("its end", () -> ends.contains(reply.usage()));
            assertThat(watch.missed()).isZero();
        }
    }

    @Test
    void deadlinesAndCancellationsCutOnly() {
        try (Context context = context(Speculation.lookup());
                Context plain = context(Speculation.off())) {
            int[] whole = plain.prompt(LOOP)
                    .sampler(Sampler.greedy())
                    .ignoreEnd()
                    .reply()
                    .tokens();
            for (int millis = 1; millis < 30; millis += 7) {
                int[] cut = context.prompt(LOOP)
                        .sampler(Sampler.greedy())
                        .ignoreEnd()
                        .timeout(Duration.ofMillis(millis))
                        .reply()
                        .tokens();
                assertThat(cut).isEqualTo(Arrays.copyOf(whole, cut.length));
            }
        }
    }

    @Test
    void whatCannotBeIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Speculation.lookup().tokens(0))
                .withMessage("tokens is 0; it may be 1 to 256");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Speculation.lookup().tokens(257));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> context(Speculation.draft(Models.smollm2())))
                .withMessageContaining("same vocabulary");
        assertThat(Speculation.lookup()).hasToString("lookup");
    }

    /** The engine holds what it needs of it. */
    @Test
    void theDraftModelMayBeClosed() {
        Model draft = Model.load(Models.tiny().path());
        try (Context context = context(Speculation.draft(draft))) {
            draft.close();
            assertThat(asked(context, 0).reply().usage().acceptedTokens()).isPositive();
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Speculation.draft(draft).tokens(300));
    }
}
