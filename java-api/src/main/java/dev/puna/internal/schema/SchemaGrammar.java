// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.schema;

import dev.puna.internal.json.Json;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * JSON schemas (draft 2020-12, and what draft 7 writes differently) as grammars.
 *
 * <p>Every text of the grammar is valid by the schema; not every valid text is one of the grammar: properties come in
 * the schema's order, objects hold what it names and no more unless it says otherwise, blanks are few, and numbers have
 * a bounded length. What can't be held to is refused with the place in the schema, never ignored; oneOf is read as
 * anyOf. docs/constrain.md has the list.
 */
public final class SchemaGrammar {
    private static final int MAX_DEPTH = 400;
    private static final int MAX_NAME = 256;
    private static final int MAX_COUNT = 100_000;
    private static final Map<String, Integer> BITS = Map.of("int8", 8, "int16", 16, "int32", 32, "int64", 64);
    private static final Set<String> TYPES =
            Set.of("object", "array", "string", "number", "integer", "boolean", "null");
    private static final Set<String> COMBINING = Set.of("$ref", "allOf", "anyOf", "oneOf", "type", "enum", "const");

    /** Keywords by the type that they speak of. */
    private static final Map<String, Set<String>> KEYWORDS = Map.of(
            "object", Set.of("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
            "array", Set.of("items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems"),
            "string", Set.of("minLength", "maxLength", "pattern", "format"),
            "number", Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"));

    private final @Nullable Object root;
    private final GrammarText grammar = new GrammarText();
    private final Map<String, String> references = new LinkedHashMap<>();
    private final boolean sets;
    private int depth;

    private SchemaGrammar(@Nullable Object root, boolean sets) {
        this.root = root;
        this.sets = sets;
    }

    /**
     * The grammar of a schema.
     *
     * @param schema its JSON text
     * @return the grammar's text
     * @throws IllegalArgumentException with the place of what is wrong or unsupported: an offset in the text, or a JSON
     *     pointer
     */
    public static String of(String schema) {
        return new SchemaGrammar(Json.parseExactly(schema, "the schema"), false).compile();
    }

    /**
     * The grammar of a schema.
     *
     * @param schema as maps, lists, texts, numbers, booleans and nulls
     * @return the grammar's text
     * @throws IllegalArgumentException as above
     */
    public static String of(Map<String, ?> schema) {
        return new SchemaGrammar(plain(schema, 0), false).compile();
    }

    /**
     * The grammar of a Java type's schema: as {@link #of(Map)}, but a list whose items are to be unique may hold one
     * twice, since it becomes a set.
     *
     * @param schema of the type
     * @return the grammar's text
     */
    public static String ofType(Map<String, ?> schema) {
        return new SchemaGrammar(plain(schema, 0), true).compile();
    }

    /** {@return the grammar of any JSON value} */
    public static String anything() {
        return new SchemaGrammar(true, false).compile();
    }

    private static @Nullable Object plain(@Nullable Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("the schema is nested more than " + MAX_DEPTH + " deep");
        }
        return switch (value) {
            case Map<?, ?> map -> {
                Map<String, @Nullable Object> out = new LinkedHashMap<>();
                map.forEach((key, item) -> out.put(String.valueOf(key), plain(item, depth + 1)));
                yield out;
            }
            case Iterable<?> list -> {
                List<@Nullable Object> out = new ArrayList<>();
                list.forEach(item -> out.add(plain(item, depth + 1)));
                yield out;
            }
            case BigDecimal number -> number;
            case Number number -> new BigDecimal(number.toString());
            case null -> null;
            case String text -> text;
            case Boolean truth -> truth;
            default ->
                throw new IllegalArgumentException(
                        "a schema can't hold a " + value.getClass().getName());
        };
    }

    private String compile() {
        return grammar.text(reference("#", "#"));
    }

    private static IllegalArgumentException wrong(String pointer, String reason) {
        return new IllegalArgumentException("the schema can't be used, at " + pointer + ": " + reason);
    }

    private String space() {
        return grammar.rule("ws", "(\" \" | \"\\n\" [ \\t]{0,16})?");
    }

    // ---- References ----

    private String reference(String reference, String pointer) {
        String known = references.get(reference);
        if (known == null) {
            known = grammar.name(reference.substring(reference.lastIndexOf('/') + 1));
            references.put(reference, known);
            grammar.define(known, expression(resolve(reference, pointer), reference));
        }
        return known;
    }

    private @Nullable Object resolve(String reference, String pointer) {
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw wrong(
                    pointer, "$ref is \"" + reference + "\"; only places in the schema itself (#/...) can be meant");
        }
        Object at = root;
        for (String step :
                reference.equals("#") ? new String[0] : reference.substring(2).split("/", -1)) {
            String name = percent(step).replace("~1", "/").replace("~0", "~");
            if (at instanceof Map<?, ?> map && map.containsKey(name)) {
                at = map.get(name);
            } else if (at instanceof List<?> list
                    && name.matches("[0-9]{1,6}")
                    && Integer.parseInt(name) < list.size()) {
                at = list.get(Integer.parseInt(name));
            } else {
                throw wrong(pointer, "$ref is \"" + reference + "\", but there is no \"" + name + "\"");
            }
        }
        return at;
    }

    private static String percent(String step) {
        return step.contains("%") ? URLDecoder.decode(step.replace("+", "%2B"), StandardCharsets.UTF_8) : step;
    }

    // ---- A schema ----

    private String expression(@Nullable Object schema, String pointer) {
        if (++depth > MAX_DEPTH) {
            throw wrong(pointer, "it is nested more than " + MAX_DEPTH + " deep");
        }
        try {
            return switch (schema) {
                case Boolean truth -> {
                    if (!truth) {
                        throw wrong(pointer, "false allows no value");
                    }
                    yield any();
                }
                case Map<?, ?> map -> checked(map, pointer);
                case null, default -> throw wrong(pointer, "a schema is an object, true or false");
            };
        } finally {
            depth--;
        }
    }

    private String checked(Map<?, ?> map, String pointer) {
        for (Object key : map.keySet()) {
            String name = (String) key;
            boolean known = COMBINING.contains(name)
                    || SchemaMerge.ANNOTATIONS.contains(name)
                    || KEYWORDS.values().stream().anyMatch(words -> words.contains(name));
            if (!known) {
                throw wrong(pointer + "/" + name, "the keyword \"" + name + "\" is not supported");
            }
        }
        if (map.get("$ref") instanceof String reference
                && asserted(without(map, "$ref")).isEmpty()) {
            return reference(reference, pointer);
        }
        if (map.containsKey("$ref") || map.containsKey("allOf")) {
            return expression(flat(map, pointer, 0), pointer);
        }
        if (map.containsKey("anyOf") || map.containsKey("oneOf")) {
            return alternatives(map, pointer);
        }
        if (map.containsKey("enum") || map.containsKey("const")) {
            return values(map, pointer);
        }
        List<String> ways = new ArrayList<>();
        for (String type : types(map, pointer)) {
            ways.add(ofType(type, map, pointer));
        }
        return choice(ways);
    }

    private static String choice(List<String> ways) {
        return ways.size() == 1 ? ways.getFirst() : "(" + String.join(" | ", ways) + ")";
    }

    private static Map<String, @Nullable Object> without(Map<?, ?> map, String... keys) {
        Map<String, @Nullable Object> out = new LinkedHashMap<>();
        map.forEach((key, value) -> out.put((String) key, value));
        out.keySet().removeAll(List.of(keys));
        return out;
    }

    private static Map<String, @Nullable Object> asserted(Map<String, @Nullable Object> map) {
        map.keySet().removeAll(SchemaMerge.ANNOTATIONS);
        return map;
    }

    /** The schema without $ref and allOf, which are merged into it. */
    private Map<String, @Nullable Object> flat(Map<?, ?> map, String pointer, int level) {
        if (level > 32) {
            throw wrong(pointer, "its $ref and allOf lead in a circle");
        }
        Map<String, @Nullable Object> out = without(map, "$ref", "allOf");
        if (map.containsKey("$ref")) {
            if (!(map.get("$ref") instanceof String reference)) {
                throw wrong(pointer + "/$ref", "a text is needed");
            }
            out = merged(out, resolve(reference, pointer), pointer, level);
        }
        if (map.containsKey("allOf")) {
            for (Object part : list(map, "allOf", pointer)) {
                out = merged(out, part, pointer + "/allOf", level);
            }
        }
        return out;
    }

    private Map<String, @Nullable Object> merged(
            Map<String, @Nullable Object> map, @Nullable Object other, String pointer, int level) {
        if (Boolean.TRUE.equals(other)) {
            return map;
        }
        if (!(other instanceof Map<?, ?> schema)) {
            throw wrong(pointer, "a schema that allows something is needed");
        }
        return SchemaMerge.of(map, flat(schema, pointer, level + 1), pointer);
    }

    private String alternatives(Map<?, ?> map, String pointer) {
        if (map.containsKey("anyOf") && map.containsKey("oneOf")) {
            throw wrong(pointer, "anyOf and oneOf together are not supported");
        }
        String word = map.containsKey("anyOf") ? "anyOf" : "oneOf";
        Map<String, @Nullable Object> rest = asserted(without(map, word));
        List<String> ways = new ArrayList<>();
        for (Object way : list(map, word, pointer)) {
            String place = pointer + "/" + word + "/" + ways.size();
            ways.add(expression(rest.isEmpty() ? way : merged(rest, way, place, 0), place));
        }
        return choice(ways);
    }

    private static List<?> list(Map<?, ?> map, String word, String pointer) {
        if (map.get(word) instanceof List<?> list && !list.isEmpty()) {
            return list;
        }
        throw wrong(pointer + "/" + word, "a list with one entry at least is needed");
    }

    private String values(Map<?, ?> map, String pointer) {
        for (String other : asserted(without(map, "enum", "const", "type")).keySet()) {
            throw wrong(pointer + "/" + other, "the keyword \"" + other + "\" beside enum or const is not supported");
        }
        List<@Nullable Object> all = new ArrayList<>();
        if (map.containsKey("const")) {
            all.add(map.get("const"));
        } else {
            all.addAll(list(map, "enum", pointer));
        }
        if (map.containsKey("const") && map.get("enum") instanceof List<?> list) {
            all.retainAll(list);
        }
        if (map.containsKey("type")) {
            List<String> types = types(map, pointer);
            all.removeIf(value -> !isOf(types, value));
        }
        if (all.isEmpty()) {
            throw wrong(pointer, "no value is allowed");
        }
        List<String> ways = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        for (Object value : all) {
            if (value instanceof String text) {
                texts.add(JsonLiteral.text(text));
            } else {
                ways.add(JsonLiteral.expression(value, space()));
            }
        }
        if (!texts.isEmpty()) {
            ways.addFirst(TextChoice.of(grammar, texts));
        }
        return choice(ways.stream().distinct().toList());
    }

    private static boolean isOf(List<String> types, @Nullable Object value) {
        return switch (value) {
            case null -> types.contains("null");
            case String text -> types.contains("string");
            case Boolean truth -> types.contains("boolean");
            case BigDecimal n ->
                types.contains("number")
                        || (types.contains("integer") && n.stripTrailingZeros().scale() <= 0);
            case List<?> list -> types.contains("array");
            default -> types.contains("object");
        };
    }

    private static List<String> types(Map<?, ?> map, String pointer) {
        Object type = map.get("type");
        Set<String> out = new LinkedHashSet<>();
        if (map.containsKey("type")) {
            for (Object one : type instanceof List<?> list ? list : List.of(String.valueOf(type))) {
                if (!(one instanceof String name) || !TYPES.contains(name)) {
                    throw wrong(pointer + "/type", "there is no type " + one);
                }
                out.add(name);
            }
            if (out.contains("number")) {
                out.remove("integer");
            }
            if (out.isEmpty()) {
                throw wrong(pointer + "/type", "no type is allowed");
            }
            return List.copyOf(out);
        }
        for (String one : List.of("object", "array", "string", "number")) {
            if (map.keySet().stream()
                    .anyMatch(key -> KEYWORDS.getOrDefault(one, Set.of()).contains(key))) {
                out.add(one);
            }
        }
        return out.isEmpty() ? List.of("any") : List.copyOf(out);
    }

    private String ofType(String type, Map<?, ?> map, String pointer) {
        return switch (type) {
            case "object" -> object(map, pointer);
            case "array" -> array(map, pointer);
            case "string" -> string(map, pointer);
            case "boolean" -> "(\"true\" | \"false\")";
            case "null" -> "\"null\"";
            case "any" -> any();
            default -> numbers(type.equals("integer"), map, pointer);
        };
    }

    // ---- Types ----

    private String any() {
        String known = references.get("any");
        if (known == null) {
            known = grammar.name("value");
            references.put("any", known);
            String ws = space();
            String pair = grammar.rule("pair", text(0, -1) + " \":\" " + ws + " " + known);
            grammar.define(
                    known,
                    "\"{\" " + ws + " (" + pair + " (" + ws + " \",\" " + ws + " " + pair + ")* " + ws + ")? \"}\""
                            + " | \"[\" " + ws + " (" + known + " (" + ws + " \",\" " + ws + " " + known + ")* " + ws
                            + ")? \"]\" | " + text(0, -1) + " | " + NumberGrammar.NUMBER
                            + " | \"true\" | \"false\" | \"null\"");
        }
        return known;
    }

    /** One character of a JSON text, however spelled: a character of Unicode, as lengths count them. */
    private String character() {
        return grammar.rule(
                "char",
                "[^\"\\\\\\x00-\\x1F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" ([0-9a-cA-CefEF] [0-9a-fA-F]{3} "
                        + "| [dD] [0-7] [0-9a-fA-F]{2}))");
    }

    private String text(int least, int most) {
        return grammar.rule(
                "string", "\"\\\"\" " + character() + "{" + least + "," + (most < 0 ? "" : most) + "} \"\\\"\"");
    }

    private String string(Map<?, ?> map, String pointer) {
        boolean sized = map.containsKey("minLength") || map.containsKey("maxLength");
        if (!map.containsKey("pattern") && !map.containsKey("format")) {
            int least = count(map, "minLength", pointer, 0);
            return text(least, atLeast(least, count(map, "maxLength", pointer, -1), "maxLength", pointer));
        }
        if (sized || (map.containsKey("pattern") && map.containsKey("format"))) {
            throw wrong(pointer, "of pattern, format and the limits of length one kind alone is supported");
        }
        String word = map.containsKey("pattern") ? "pattern" : "format";
        if (!(map.get(word) instanceof String value)) {
            throw wrong(pointer + "/" + word, "a text is needed");
        }
        String pattern = value;
        if (word.equals("format")) {
            String known = Formats.pattern(value);
            if (known == null) {
                throw wrong(
                        pointer + "/format", "the format \"" + value + "\" is not known; there are " + Formats.known());
            }
            pattern = "^" + known + "$";
        }
        try {
            String inner = RegexGrammar.inJson(pattern, character());
            return grammar.rule("string", "\"\\\"\" " + inner + " \"\\\"\"");
        } catch (IllegalArgumentException e) {
            throw (IllegalArgumentException)
                    wrong(pointer + "/" + word, String.valueOf(e.getMessage())).initCause(e);
        }
    }

    private String numbers(boolean whole, Map<?, ?> map, String pointer) {
        if (map.containsKey("multipleOf") && !(whole && BigDecimal.ONE.equals(map.get("multipleOf")))) {
            throw wrong(pointer + "/multipleOf", "the keyword \"multipleOf\" is not supported");
        }
        Limit low = Limit.of(map, "minimum", "exclusiveMinimum", true, pointer);
        Limit high = Limit.of(map, "maximum", "exclusiveMaximum", false, pointer);
        Integer bits = whole && map.get("format") instanceof String format ? BITS.get(format) : null;
        if (bits != null) {
            BigDecimal end = BigDecimal.TWO.pow(bits - 1);
            low = Limit.tighter(low, new Limit(end.negate(), false, "format"), true);
            high = Limit.tighter(high, new Limit(end, true, "format"), false);
        }
        if (low == null && high == null) {
            return whole ? NumberGrammar.INTEGER : grammar.rule("number", NumberGrammar.NUMBER);
        }
        try {
            String expression = whole
                    ? NumberGrammar.integers(new NumberGrammar.Bounds(
                            low == null ? null : low.wholeFrom(), high == null ? null : high.wholeTo(), false, false))
                    : NumberGrammar.numbers(new NumberGrammar.Bounds(
                            low == null ? null : low.exact(pointer),
                            high == null ? null : high.exact(pointer),
                            low != null && low.exclusive(),
                            high != null && high.exclusive()));
            return grammar.rule(whole ? "integer" : "number", expression);
        } catch (IllegalArgumentException e) {
            throw String.valueOf(e.getMessage()).startsWith("the schema")
                    ? e
                    : wrong(pointer, String.valueOf(e.getMessage()));
        }
    }

    private String array(Map<?, ?> map, String pointer) {
        if (!sets && Boolean.TRUE.equals(map.get("uniqueItems"))) {
            throw wrong(pointer + "/uniqueItems", "the keyword \"uniqueItems\" is not supported");
        }
        Object prefix = map.get("items") instanceof List<?> list ? list : map.get("prefixItems");
        String restWord = map.get("items") instanceof List<?> ? "additionalItems" : "items";
        List<?> first = prefix instanceof List<?> list ? list : List.of();
        boolean open = !Boolean.FALSE.equals(map.get(restWord)) && (map.containsKey(restWord) || first.isEmpty());
        int least = count(map, "minItems", pointer, 0);
        int most = atLeast(least, count(map, "maxItems", pointer, -1), "maxItems", pointer);
        if (!open && least > first.size()) {
            throw wrong(
                    pointer + "/minItems",
                    "minItems is " + least + ", but no more than " + first.size() + " items are described");
        }
        String ws = space();
        String comma = ws + " \",\" " + ws + " ";
        int fixed = most >= 0 ? Math.min(most, first.size()) : first.size();
        String rest = "";
        if (open && (most < 0 || most > fixed)) {
            String item = grammar.rule(
                    "item", expression(map.containsKey(restWord) ? map.get(restWord) : true, pointer + "/" + restWord));
            int from = Math.max(0, least - fixed);
            String until = most < 0 ? "" : String.valueOf(most - fixed);
            rest = "(" + comma + item + "){" + from + "," + until + "}";
            if (fixed == 0) {
                String more =
                        "(" + comma + item + "){" + Math.max(0, from - 1) + "," + (most < 0 ? "" : most - 1) + "}";
                String all = item + " " + more + " " + ws;
                return grammar.rule("array", "\"[\" " + ws + " " + (from > 0 ? all : "(" + all + ")?") + " \"]\"");
            }
        }
        String tail = rest + " " + ws;
        for (int i = fixed - 1; i >= 0; i--) {
            String item = expression(
                    first.get(i), pointer + "/" + (restWord.equals("items") ? "prefixItems/" : "items/") + i);
            String here = (i > 0 ? comma : "") + item + " " + grammar.rule("items", tail);
            tail = i < least ? here : "(" + here + " | " + (i > 0 ? ws : "\"\"") + ")";
        }
        return grammar.rule("array", "\"[\" " + ws + " " + tail + " \"]\"");
    }

    private String object(Map<?, ?> map, String pointer) {
        Map<?, ?> properties = map.get("properties") instanceof Map<?, ?> p ? p : Map.of();
        List<?> required = map.get("required") instanceof List<?> list ? list : List.of();
        boolean open = !Boolean.FALSE.equals(map.get("additionalProperties"))
                && (map.containsKey("additionalProperties") || properties.isEmpty());
        for (Object name : required) {
            if (!properties.containsKey(name)) {
                throw wrong(pointer + "/required", "\"" + name + "\" is required, but not among the properties");
            }
        }
        String ws = space();
        String comma = ws + " \",\" " + ws + " ";
        String started = ws;
        String fresh = "\"\"";
        if (open) {
            String pair = grammar.rule(
                    "pair",
                    otherName(properties.keySet(), pointer) + " \":\" " + ws + " "
                            + expression(
                                    map.containsKey("additionalProperties") ? map.get("additionalProperties") : true,
                                    pointer + "/additionalProperties"));
            int least = properties.isEmpty() ? count(map, "minProperties", pointer, 0) : 0;
            int most = properties.isEmpty() ? count(map, "maxProperties", pointer, -1) : -1;
            if (least > 1 || most == 0) {
                throw wrong(pointer, "a minProperties above 1, or a maxProperties of 0, is not supported");
            }
            started = "(" + comma + pair + "){0," + (most < 0 ? "" : most - 1) + "} " + ws;
            fresh = pair + " " + started;
            if (least == 0) {
                fresh = "(" + fresh + ")?";
            }
        }
        if (!properties.isEmpty() && (map.containsKey("minProperties") || map.containsKey("maxProperties"))) {
            throw wrong(pointer, "minProperties and maxProperties beside properties are not supported");
        }
        List<Map.Entry<?, ?>> all = new ArrayList<>(properties.entrySet());
        for (int i = all.size() - 1; i >= 0; i--) {
            String name = (String) all.get(i).getKey();
            String pair = GrammarText.quoted(JsonLiteral.text(name) + ":") + " " + ws + " "
                    + expression(
                            all.get(i).getValue(),
                            pointer + "/properties/" + name.replace("~", "~0").replace("/", "~1"));
            String on = grammar.rule("more", started);
            String off = grammar.rule("first", fresh);
            pair = grammar.rule(name, pair);
            boolean must = required.contains(name);
            started = must ? comma + pair + " " + on : "(" + comma + pair + ")? " + on;
            fresh = must ? pair + " " + on : pair + " " + on + " | " + off;
        }
        return grammar.rule("object", "\"{\" " + ws + " (" + fresh + ") \"}\"");
    }

    /** A name in quotes that is none of the given ones; where there are any, without escapes: they could spell one. */
    private String otherName(Set<?> names, String pointer) {
        if (names.isEmpty()) {
            return text(0, -1);
        }
        NameTree tree = new NameTree();
        for (Object name : names) {
            if (((String) name).length() > MAX_NAME) {
                throw wrong(pointer, "a name is longer than " + MAX_NAME + " characters");
            }
            tree.add((String) name);
        }
        return "\"\\\"\" " + tree.other(grammar, "[^\"\\\\\\x00-\\x1F]*") + " \"\\\"\"";
    }

    private static int count(Map<?, ?> map, String word, String pointer, int without) {
        if (!map.containsKey(word)) {
            return without;
        }
        if (map.get(word) instanceof BigDecimal n
                && n.signum() >= 0
                && n.stripTrailingZeros().scale() <= 0
                && n.compareTo(BigDecimal.valueOf(MAX_COUNT)) <= 0) {
            return n.intValueExact();
        }
        throw wrong(pointer + "/" + word, "a whole number from 0 to " + MAX_COUNT + " is needed");
    }

    private static int atLeast(int least, int most, String word, String pointer) {
        if (most >= 0 && most < least) {
            throw wrong(pointer + "/" + word, "it is " + most + ", below the least of " + least);
        }
        return most;
    }
}
