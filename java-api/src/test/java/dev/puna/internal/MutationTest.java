// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.puna.Message;
import dev.puna.Model;
import dev.puna.PunaException;
import dev.puna.ReplayRecord;
import dev.puna.Sampler;
import dev.puna.TemplateException;
import dev.puna.internal.json.Json;
import dev.puna.internal.schema.RegexGrammar;
import dev.puna.internal.schema.SchemaGrammar;
import dev.puna.internal.template.ChatTemplate;
import dev.puna.internal.template.Limits;
import dev.puna.testing.Models;
import dev.puna.testing.Seeded;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;

/**
 * A fuzzer of what Java reads: chat templates and what they are given, JSON, schemas, patterns, replay records. Good
 * inputs are changed at random; only what is documented may be thrown, in bounded time.
 *
 * <p>Each test takes 1 s; {@code -Dpuna.fuzz.seconds=1200} gives each that long, {@code -Dpuna.seed=N} repeats a run.
 */
@Timeout(7200)
class MutationTest {
    private static final Duration EACH = Duration.ofSeconds(Long.getLong("puna.fuzz.seconds", 1));
    /** What one input may take: far above what any of them needs, far below what anybody would call a hang. */
    private static final Duration MOST = Duration.ofSeconds(5);

    private static final Clock NOW = Clock.fixed(Instant.parse("2026-03-07T08:05:09Z"), ZoneOffset.UTC);
    private static final Limits SMALL = new Limits(50_000, 50_000, 500_000, 200, 1000);
    private static final String MARKS = "{}%#|'\"()[]<>.,:;-+*/~_=!?&^$@x109 \n\\\u0000\u0001é한\uD83D\uDE00\uD800";

    private static final List<String> TEMPLATES = templates();
    private static final List<String> DOCUMENTS = List.of(
            "{\"a\": [1, -2.5e10, true, null, \"x\\u00e9\\n\"], \"b\": {}, \"c\": \"\\ud83d\\ude00\"}",
            "[0.1, 1E400, 123456789012345678901234567890, -0, [[[[[]]]]]]",
            "\"text\"");
    private static final List<String> SCHEMAS = List.of(
            "{\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\", \"maxLength\": 20}, \"age\": {\"type\":"
                    + " \"integer\", \"minimum\": 0, \"maximum\": 150}}, \"required\": [\"name\"]}",
            "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/x\"}, \"minItems\": 1, \"maxItems\": 5, \"$defs\": {\"x\":"
                    + " {\"enum\": [1, \"a\", null]}}}",
            "{\"anyOf\": [{\"type\": \"number\", \"exclusiveMinimum\": -1.5}, {\"pattern\": \"^a+[b-d]$\", \"type\": \"string\"},"
                    + " {\"format\": \"date-time\", \"type\": \"string\"}, {\"const\": {\"k\": [1]}}]}",
            "{\"allOf\": [{\"type\": \"object\", \"additionalProperties\": {\"type\": \"boolean\"}}, {\"minProperties\": 1}]}");
    private static final List<String> PATTERNS = List.of(
            "^[a-z]{2,5}(-\\d+)?$", "(a|bc)*d+?", "[^\\s\\w]|\\u00e9\\p{L}", "^(?:x(?=y)|\\bz)\\1$", "a{0,1000}");

    private static List<String> templates() {
        List<String> all = new ArrayList<>(
                List.of(
                        ChatTemplate.CHATML,
                        "{% for m in messages %}{% if loop.first and m.role != 'system' %}{{ '[S]' }}{% endif %}{{ m['role'] | upper }}"
                                + "{{ m.content | trim }}{% if m.tool_calls %}{{ m.tool_calls | tojson(indent=2) }}{% endif %}{% endfor %}",
                        "{% macro f(a, b=2) %}{{ a ~ b }}{% endmacro %}{% set ns = namespace(n=0) %}{% for m in messages[::-1] %}"
                                + "{% set ns.n = ns.n + 1 %}{{ f(m.content[:9], ns.n) }}{% endfor %}{{ strftime_now('%Y-%m-%d') }}"));
        try (InputStream in = ChatTemplate.class.getResourceAsStream("jinja2.txt")) {
            String text = new String(java.util.Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            Arrays.stream(text.split("\n"))
                    .filter(line -> !line.startsWith("# ") && line.indexOf('\t') > 0)
                    .forEach(line ->
                            all.add(line.substring(0, line.indexOf('\t')).replace("\\n", "\n")));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return all;
    }

    // ---- Changing ----

    private static String changed(Random random, List<String> good) {
        StringBuilder text = new StringBuilder(good.get(random.nextInt(good.size())));
        for (int i = random.nextInt(6); i >= 0 && !text.isEmpty(); i--) {
            int at = random.nextInt(text.length());
            int end = Math.min(text.length(), at + 1 + random.nextInt(12));
            switch (random.nextInt(7)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, text.substring(at, end));
                case 2 -> {
                    String other = good.get(random.nextInt(good.size()));
                    int from = other.isEmpty() ? 0 : random.nextInt(other.length());
                    text.insert(at, other, from, Math.min(other.length(), from + random.nextInt(30)));
                }
                case 3 -> text.setLength(at);
                case 4 -> text.insert(at, text.substring(at, end).repeat(1 + random.nextInt(200)));
                case 5 -> text.replace(at, end, NUMBERS.get(random.nextInt(NUMBERS.size())));
                default -> text.setCharAt(at, MARKS.charAt(random.nextInt(MARKS.length())));
            }
        }
        return text.toString();
    }

    private static final List<String> NUMBERS = List.of(
            "0", "-1", "2147483648", "-9223372036854775809", "1e999", "-1e-999", "9".repeat(400), "0.1", "NaN", "null");

    /** Anything that a conversation, or a tool's schema, may be made of. */
    private static @Nullable Object value(Random random, int depth) {
        return switch (random.nextInt(depth > 4 ? 6 : 9)) {
            case 0 -> null;
            case 1 -> random.nextBoolean();
            case 2 -> random.nextLong();
            case 3 -> random.nextDouble() * Math.pow(10, random.nextInt(600) - 300);
            case 4 -> changed(random, DOCUMENTS);
            case 5 -> MARKS.repeat(random.nextInt(3));
            case 6 -> {
                List<@Nullable Object> list = new ArrayList<>();
                for (int i = random.nextInt(4); i > 0; i--) {
                    list.add(value(random, depth + 1));
                }
                yield list;
            }
            default -> {
                Map<String, @Nullable Object> map = new HashMap<>();
                for (String key : List.of("role", "content", "name", "tool_calls", "items", "")) {
                    if (random.nextInt(3) > 0) {
                        map.put(key, value(random, depth + 1));
                    }
                }
                yield map;
            }
        };
    }

    // ---- Running ----

    /** How many inputs were tried, and taken. */
    private record Tally(int tried, int taken) {}

    /** Tries inputs for the time that a test has; what is documented may be thrown, nothing else. */
    private static Tally run(Random random, List<String> good, Class<?> documented, Consumer<String> reader) {
        long end = System.nanoTime() + EACH.toNanos();
        int tried = 0;
        int taken = 0;
        while (System.nanoTime() < end) {
            String text = changed(random, good);
            long start = System.nanoTime();
            tried++;
            try {
                reader.accept(text);
                taken++;
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError thrown) {
                if (thrown.getClass() != documented
                        || String.valueOf(thrown.getMessage()).length() < 5) {
                    fail("this is not to be thrown for: " + text, thrown);
                }
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start)).as(text).isLessThan(MOST);
        }
        assertThat(tried).isPositive();
        System.out.printf("%s: %d inputs tried, %d taken%n", documented.getSimpleName(), tried, taken);
        return new Tally(tried, taken);
    }

    @Seeded
    void templates(Random random) {
        Tally tally = run(random, TEMPLATES, TemplateException.class, source -> {
            Map<String, @Nullable Object> variables = new HashMap<>();
            variables.put(
                    "messages",
                    random.nextInt(4) == 0 ? value(random, 0) : List.of(Map.of("role", "user", "content", "Hi")));
            variables.put("tools", value(random, 0));
            variables.put("add_generation_prompt", true);
            ChatTemplate.parse(source).render(variables, Map.of("eos_token", "</s>"), SMALL, NOW);
        });
        assertThat(tally.taken()).isPositive();
    }

    @Seeded
    void json(Random random) {
        run(random, DOCUMENTS, IllegalArgumentException.class, text -> {
            Object read = Json.parse(text);
            assertThat(Json.parse(Json.write(read))).isEqualTo(read);
        });
    }

    @Seeded
    void schemas(Random random) {
        run(random, SCHEMAS, IllegalArgumentException.class, SchemaGrammar::of);
    }

    @Seeded
    void patterns(Random random) {
        run(random, PATTERNS, IllegalArgumentException.class, RegexGrammar::of);
    }

    @Seeded
    void replayRecords(Random random) {
        Model model = Models.tiny();
        String record = model.prompt("The ferry between")
                .sampler(Sampler.of(Sampler.topK(50), Sampler.temperature(1.7f)).seed(3))
                .maxTokens(4)
                .reply()
                .record()
                .json();
        run(random, List.of(record), PunaException.class, text -> {
            ReplayRecord read = ReplayRecord.parse(text);
            String written = read.json();
            assertThat(ReplayRecord.parse(written).json()).isEqualTo(written);
        });
        assertThat(model.chat(List.of(Message.user("Hello")))
                        .sampler(Sampler.greedy())
                        .text())
                .isEqualTo(Models.answer("Hello"));
    }
}
