// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.TemplateException;
import dev.puna.bindings.NativeFile;
import dev.puna.bindings.NativeTokenizer;
import dev.puna.internal.talk.Dialect;
import dev.puna.internal.talk.Speech;
import dev.puna.internal.talk.Tools;
import dev.puna.internal.template.ChatTemplate;
import dev.puna.internal.template.Limits;
import dev.puna.internal.template.Rendered;
import dev.puna.internal.template.Segment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a model wants conversations written: its own template, and the ids of what it renders.
 *
 * <p>A model without a template, or with one that is not valid or fails even on a user's greeting, gets ChatML and a
 * warning in the log; one whose vocabulary has Gemma's marks for turns gets Gemma's format. A template that works, but
 * refuses a conversation, is not replaced: its reason reaches the caller as a {@link TemplateException}. Immutable; any
 * thread.
 */
public final class ChatFormat {
    private static final Logger LOG = LoggerFactory.getLogger(ChatFormat.class);

    private final NativeTokenizer tokenizer;
    private final ChatTemplate template;
    private final String source;
    private final boolean own;
    private final Map<String, Object> trusted;
    private final Dialect dialect;
    private final Map<Integer, String> marks;
    private final Map<Integer, String> controlTokens = new ConcurrentHashMap<>();

    private ChatFormat(NativeTokenizer tokenizer, ChatTemplate template, String source, boolean own) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.source = source;
        this.own = own;
        this.trusted = specials(tokenizer);
        this.dialect = Dialect.of(source);
        this.marks = marks(tokenizer, dialect);
    }

    /**
     * Reads a model's template.
     *
     * @param file the model's
     * @param tokenizer the model's
     * @return its format
     */
    public static ChatFormat of(NativeFile file, NativeTokenizer tokenizer) {
        long index = file.find("tokenizer.chat_template");
        if (index < 0) {
            LOG.warn(
                    "the model has no chat template: {} is used in its place, and answers may be poor",
                    name(tokenizer));
            return substitute(tokenizer);
        }
        if (file.metadata(index).type() != NativeFile.Type.STRING) {
            LOG.warn(
                    "the model's chat template is no text: {} is used in its place, and answers may be poor",
                    name(tokenizer));
            return substitute(tokenizer);
        }
        String source = file.string(index, 0);
        try {
            ChatFormat format = new ChatFormat(tokenizer, ChatTemplate.parse(source), source, true);
            format.render(List.of(Map.of("role", "user", "content", "Hello")), List.of(), Map.of());
            return format;
        } catch (TemplateException e) {
            LOG.warn(
                    "the model's chat template is not valid or fails, {} is used in its place, and answers may be"
                            + " poor: {}",
                    name(tokenizer),
                    e.getMessage());
            return substitute(tokenizer);
        }
    }

    private static ChatFormat substitute(NativeTokenizer tokenizer) {
        String source = knowsTurns(tokenizer) ? ChatTemplate.TURNS : ChatTemplate.CHATML;
        return new ChatFormat(tokenizer, ChatTemplate.parse(source), "", false);
    }

    private static String name(NativeTokenizer tokenizer) {
        return knowsTurns(tokenizer) ? "Gemma's format" : "ChatML";
    }

    private static boolean knowsTurns(NativeTokenizer tokenizer) {
        return List.of("<start_of_turn>", "<end_of_turn>").stream().allMatch(mark -> {
            int[] ids = tokenizer.tokenize(mark.getBytes(StandardCharsets.UTF_8), true, false);
            return ids.length == 1 && tokenizer.token(ids[0]).kind() == NativeTokenizer.Kind.CONTROL;
        });
    }

    private static Map<String, Object> specials(NativeTokenizer tokenizer) {
        Map<String, Object> specials = new HashMap<>();
        NativeTokenizer.Info info = tokenizer.info();
        put(specials, "bos_token", tokenizer, info.bos());
        put(specials, "eos_token", tokenizer, info.eos());
        put(specials, "pad_token", tokenizer, info.pad());
        put(specials, "unk_token", tokenizer, info.unknown());
        return Map.copyOf(specials);
    }

    private static void put(Map<String, Object> specials, String name, NativeTokenizer tokenizer, int id) {
        if (id >= 0) {
            specials.put(name, tokenizer.token(id).text());
        }
    }

    /** {@return a digest of the template's text} */
    public String fingerprint() {
        try {
            byte[] text = (own ? source : ChatTemplate.CHATML).getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** {@return whether the template is the model's own} */
    public boolean isOwn() {
        return own;
    }

    /**
     * Whether the model's own template speaks of a variable.
     *
     * @param name of the variable
     * @return whether its text contains the name
     */
    public boolean mentions(String name) {
        return source.contains(name);
    }

    /** The dialect's marks that are control tokens here: their text is no part of the generated text. */
    private static Map<Integer, String> marks(NativeTokenizer tokenizer, Dialect dialect) {
        Map<Integer, String> marks = new HashMap<>();
        for (String mark : dialect.marks()) {
            int[] ids = tokenizer.tokenize(mark.getBytes(StandardCharsets.UTF_8), true, false);
            if (ids.length == 1 && tokenizer.token(ids[0]).kind() == NativeTokenizer.Kind.CONTROL) {
                marks.put(ids[0], mark);
            }
        }
        return Map.copyOf(marks);
    }

    /** {@return spellings of the control tokens that the answer is cut at, by id} */
    public Map<Integer, String> marks() {
        return marks;
    }

    /**
     * How the answer to a prompt is taken apart.
     *
     * @param prompt rendered
     * @param tools that were offered; calls are looked for only if there are some
     * @return the way
     */
    public Speech speech(Rendered prompt, Tools tools) {
        Dialect heard = tools.schemas().isEmpty() ? new Dialect(dialect.reasoning(), null) : dialect;
        return new Speech(heard, heard.opensReasoning(prompt.text()), tools);
    }

    /** {@return whether calls in the model's answers can be read} */
    public boolean readsCalls() {
        return dialect.tools() != null;
    }

    /**
     * Renders a conversation, ready for the model's answer.
     *
     * @param messages as the templates expect them: maps with role, content and more
     * @param tools descriptions of tools, or an empty list
     * @param variables further ones, by name
     * @return the text with its origins
     */
    public Rendered render(
            List<Map<String, Object>> messages, List<Map<String, Object>> tools, Map<String, ?> variables) {
        Map<String, Object> all = new HashMap<>(variables);
        all.put("messages", messages);
        all.put("tools", tools.isEmpty() ? null : tools);
        all.put("add_generation_prompt", true);
        return template.render(all, trusted, Limits.DEFAULT, Clock.system(ZoneId.systemDefault()));
    }

    /**
     * How a control token is spelled.
     *
     * @param id a token's
     * @return its spelling, or nothing if the token is text
     */
    public String controlToken(int id) {
        return controlTokens.computeIfAbsent(
                id,
                key -> Failures.mapped(() -> {
                    NativeTokenizer.Token token = tokenizer.token(key);
                    return token.kind() == NativeTokenizer.Kind.CONTROL ? token.text() : "";
                }));
    }

    /**
     * The ids of rendered segments: control tokens are recognised in what the template wrote, nowhere else.
     *
     * @param segments in order
     * @return their ids; no beginning token is added, the template wrote it if the model wants one
     */
    public int[] encode(List<Segment> segments) {
        List<byte[]> texts = new ArrayList<>();
        boolean[] origins = new boolean[segments.size()];
        for (int i = 0; i < segments.size(); i++) {
            byte[] text = segments.get(i).text().getBytes(StandardCharsets.UTF_8);
            texts.add(text);
            origins[i] = segments.get(i).trusted();
        }
        long length = texts.stream().mapToLong(text -> text.length).sum();
        return Failures.mapped(() -> Platform.forText(length, () -> tokenizer.tokenizeParts(texts, origins)));
    }
}
