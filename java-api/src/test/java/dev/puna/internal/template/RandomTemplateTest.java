// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.puna.TemplateException;
import dev.puna.testing.Seeded;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Random templates. */
class RandomTemplateTest {
    private static final Limits SMALL = new Limits(20_000, 20_000, 200_000, 200, 1000);
    /** Letters without case: whatever is done to texts, these show where they came from. */
    private static final String FOREIGN = "가나다";

    private static final String OWN = "xyzXYZ <|>,.\n";
    private static final List<String> STEPS = List.of(
            ".upper()",
            ".lower()",
            ".strip()",
            ".title()",
            ".capitalize()",
            "[1:]",
            "[:-1]",
            "[::-1]",
            "[::2]",
            ".replace('x', '<|>')",
            ".replace(f, 'y')",
            ".replace('y', f)",
            ".replace('', '.', 3)",
            ".split('x') | join('-')",
            ".split() | join(f)",
            ".rsplit('z', 1) | join",
            ".splitlines() | join('|')",
            " | trim",
            " | string",
            " | reverse",
            " | list | join",
            ".center(30)",
            ".ljust(20, 'q')",
            ".zfill(12)",
            ".partition('x') | join('/')",
            " | indent",
            " | truncate(15)",
            " | title",
            " | capitalize",
            " | e",
            " | safe",
            " | wordwrap(7)",
            " | replace('X', f)",
            ".strip('x')",
            ".removeprefix('x')",
            " | default('d')",
            " * 2",
            " ~ f ~ 'own'",
            " + 'own' + f",
            ".format(f, 'x')",
            " | sort | join",
            " | unique | join('x')",
            " | urlencode",
            " | batch(3) | map('join') | join('+')");

    private static String text(Random random, String alphabet) {
        StringBuilder out = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            out.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return out.toString();
    }

    @Seeded(rounds = 10)
    void whatIsDoneToTextsKeepsTheirOrigins(Random random) {
        for (int round = 0; round < 300; round++) {
            String own = text(random, OWN).replace("\n", "\\n");
            StringBuilder expression = new StringBuilder("('" + own + "' ~ f ~ '" + own + "')");
            for (int i = random.nextInt(6); i >= 0; i--) {
                expression
                        .insert(0, "(")
                        .append(STEPS.get(random.nextInt(STEPS.size())))
                        .append(")");
            }
            String source = "{{ " + expression + " }}";
            String foreign = text(random, FOREIGN + (random.nextBoolean() ? "x <" : ""));
            Rendered rendered;
            try {
                rendered = ChatTemplate.parse(source).render(Map.of("f", foreign), Map.of(), SMALL, Templates.NOW);
            } catch (TemplateException refused) {
                continue;
            }
            String trusted = ChatTemplate.parse(source)
                    .render(Map.of(), Map.of("f", foreign), SMALL, Templates.NOW)
                    .text();
            assertThat(rendered.text()).as(source).isEqualTo(trusted);
            Segment before = new Segment(
                    "",
                    !(!rendered.segments().isEmpty()
                            && rendered.segments().get(0).trusted()));
            for (Segment segment : rendered.segments()) {
                assertThat(segment.text()).as(source).isNotEmpty();
                assertThat(segment.trusted()).as(source).isNotEqualTo(before.trusted());
                before = segment;
                if (segment.trusted()) {
                    assertThat(segment.text()).as("%s with %s", source, foreign).doesNotContainPattern("[가나다]");
                }
            }
        }
    }

    @Seeded(rounds = 10)
    void brokenTemplatesFailAsTemplates(Random random) {
        List<String> sources = new ArrayList<>();
        Templates.examples().forEach(example -> sources.add(example.source()));
        int parsed = 0;
        for (int round = 0; round < 600; round++) {
            String source = broken(random, sources);
            try {
                ChatTemplate template = ChatTemplate.parse(source);
                parsed++;
                template.render(Templates.variables(), Map.of(), SMALL, Templates.NOW);
            } catch (TemplateException expected) {
                assertThat(expected.getMessage()).startsWith("chat template");
            } catch (RuntimeException | StackOverflowError bug) {
                fail("not a TemplateException: " + source, bug);
            }
        }
        assertThat(parsed).isGreaterThan(30);
    }

    private static String broken(Random random, List<String> sources) {
        StringBuilder text = new StringBuilder(sources.get(random.nextInt(sources.size())));
        for (int i = random.nextInt(4); i >= 0 && !text.isEmpty(); i--) {
            int at = random.nextInt(text.length());
            int end = Math.min(text.length(), at + 1 + random.nextInt(8));
            switch (random.nextInt(4)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, text.substring(at, end));
                case 2 -> {
                    String other = sources.get(random.nextInt(sources.size()));
                    int from = other.isEmpty() ? 0 : random.nextInt(other.length());
                    text.insert(at, other, from, Math.min(other.length(), from + random.nextInt(20)));
                }
                default -> text.setCharAt(at, "{}%#|'\"()[].,:-+*/~x1 \n\\".charAt(random.nextInt(24)));
            }
        }
        return text.toString();
    }
}
